"""What is true of every database, repository and machine of ours at every moment, whatever crashed.

`check_all` asks everything at once, beside a server at work or after one that was killed. What people and agents made
is noted in a `Witness`, what browsers were sent in `Heard`; neither may ever be lost.
"""

from collections.abc import Iterable

import asyncpg

from tests.invariants import chains, columns, counters, lives, places
from tests.invariants.facts import Facts, look
from tests.invariants.hearing import Heard, require_heard
from tests.invariants.keeping import Witness, require_sound

__all__ = ["Facts", "Heard", "Witness", "check_all", "check_facts", "look"]

#: Each is one sentence about the facts of one moment, and raises AssertionError where it is not true.
CHECKS = (
    columns.positions_have_no_gaps,
    columns.every_task_in_progress_waits_or_is_held,
    lives.no_project_has_too_many_at_work,
    lives.one_agent_has_one_task,
    lives.an_agent_at_work_says_what_it_does,
    lives.an_agent_outside_of_tasks_says_where_it_is,
    lives.what_is_closed_waits_for_nothing,
    lives.an_agent_that_is_free_holds_nothing,
    lives.a_run_is_live_exactly_while_its_agent_is,
    lives.an_ended_run_says_how_it_ended,
    lives.calls_of_an_ended_run_are_closed,
    lives.no_process_outlives_its_run,
    chains.the_chain_verifies,
    chains.decisions_are_in_the_chain,
    counters.agents_count_their_tasks,
    counters.sessions_count_messages_and_calls,
    counters.runs_count_turns_and_calls,
    counters.tasks_count_turns_and_rejections,
    places.tasks_and_worktrees_agree,
    places.worktrees_are_where_their_rows_say,
    places.every_worktree_of_ours_has_its_row,
)


async def check_all(
    url: str, witnesses: Iterable[Witness] = (), heard: Heard | None = None, *, deep: bool = True
) -> Facts:
    """Check everything about the database at `url`, the repositories of its projects, and this machine.

    Each witness notes what is there now before it is asked whether all that was ever there is kept. `deep` also lets
    git verify every object, which takes longer.
    """
    connection = await asyncpg.connect(url, timeout=10)
    try:
        facts = await look(connection)
        check_facts(facts)
        if heard is not None:
            await require_heard(connection, heard)
    finally:
        await connection.close(timeout=5)
    for witness in witnesses:
        witness.look()
        witness.require_kept()
    for root in (facts.root(project) for project in facts.projects) if deep else ():
        require_sound(root)
    return facts


def check_facts(facts: Facts) -> None:
    """Every check on the facts of one moment; all that fail are told together."""
    complaints = []
    for check in CHECKS:
        try:
            check(facts)
        except AssertionError as complaint:
            complaints.append(f"{check.__name__.replace('_', ' ')}: {complaint}")
    assert not complaints, "\n".join(["what is not true:", *complaints])
