"""Prints `docs/lifecycles.md`: the states and legal moves of tasks, agents, runs, sessions, questions and worktrees."""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from app.agents.rows import FREE, LIVE
from app.agents.states import MOVES as AGENT_MOVES
from app.agents.states import Move
from app.budgets.states import MOVES as BUDGET_MOVES
from app.permissions.states import MOVES as PERMISSION_MOVES
from app.runners.base import ErrorType
from app.runs.counting import HANDED_IN
from app.runs.states import MOVES as RUN_MOVES
from app.sessions.states import MOVES as SESSION_MOVES
from app.tasks.states import NAMES, TRANSITIONS
from app.worktrees.rows import STEPS, WorktreeStatus
from app.worktrees.states import TRANSITIONS as WORKTREE_MOVES

HEAD = """# Lifecycles

This page is printed by `bin/lifecycles` from the data in the code; `tests/docs/test_lifecycles.py` compares the two.
Each move is written under the project's lock: of two at once one is made, the other is refused with 409.

One word is ahead of the code: nothing sets a budget.
"""

#: What each state of a worktree means.
WORKTREE_STATES: dict[WorktreeStatus, str] = {
    "creating": "Its steps are being carried out, by `app/worktrees/creating.py`.",
    "active": "It is complete: an agent works in it, or its work waits for a decision.",
    "merging": "One approval holds it (`app/worktrees/merging.py`); nobody else decides meanwhile.",
    "removing": "Its work is being saved and its folder removed, by `app/worktrees/removing.py`.",
    "removed": "The folder is gone. The row stays as history, and a new start of the task makes a new one.",
    "error": "A step or the removal failed; the reason is kept. A retry goes on at the step that failed.",
}


def main() -> None:
    print("\n".join([HEAD, *tasks(), "", *agents(), "", *runs(), "", *sessions(), "", *questions(), "", *worktrees()]))


def tasks() -> Iterator[str]:
    yield "## Tasks\n"
    yield "From `app/tasks/states.py`. Every other move is refused, and the answer names the possible ones.\n"
    yield from table(
        ("from", "event", "to"), [(NAMES[move.before], code(move.event), NAMES[move.after]) for move in TRANSITIONS]
    )


def agents() -> Iterator[str]:
    yield "## Agents\n"
    free, live = ", ".join(map(code, FREE)), ", ".join(map(code, LIVE))
    yield (
        f"From `app/agents/states.py`. {free} are free for work; {live} fill one of the project's slots;\n"
        "`error` waits for a person, who retries or cancels. Every other pair is refused.\n"
    )
    yield from moves(AGENT_MOVES)


def runs() -> Iterator[str]:
    yield "## Runs\n"
    yield (
        "From `app/runs/states.py`. A run is made as `starting`, and `begin` happens when its program is about to\n"
        "start. Every other pair is refused, so a run ends once.\n"
    )
    yield from moves(RUN_MOVES)
    yield (
        "\nA run that ends as `error` has one of these reasons (`app/runners/base.py`). *Handed in* means that\n"
        "the task goes to Waiting approval all the same, if the branch has changes (`app/runs/counting.py`).\n"
    )
    yield from table(
        ("reason", "the task"),
        [
            (code(reason), "handed in" if reason in HANDED_IN else "stays, for a person")
            for reason in get_args(ErrorType)
        ],
    )


def sessions() -> Iterator[str]:
    yield "## Sessions\n"
    yield "From `app/sessions/states.py`. A session is made `active`; its record stays when it is closed.\n"
    yield from table(
        ("from", "event", "to"), [(code(m.source), code(e), code(m.target)) for e, m in SESSION_MOVES.items()]
    )


def questions() -> Iterator[str]:
    yield "## Questions\n"
    yield (
        "From `app/permissions/states.py`. A question is made `open`; the first answer counts. It is taken back when\n"
        "its run ends or is paused. When the server ends it stays open, if its program remembers the conversation.\n"
    )
    yield from table(
        ("from", "event", "to"), [(code(m.source), code(e), code(m.target)) for e, m in PERMISSION_MOVES.items()]
    )
    yield (
        "\nOf a question at a limit, from `app/budgets/states.py`. A run has one at a time. It is taken back when its\n"
        "run ends, and outlasts the end of the server in the same way.\n"
    )
    yield from table(("from", "event", "to"), [(code("open"), code(e), code(to)) for e, to in BUDGET_MOVES.items()])


def moves(machine: Mapping[str, Move]) -> Iterator[str]:
    """A machine of agents or runs, a row for each state in which an event may happen."""
    yield from table(
        ("from", "event", "to"),
        [(code(state), code(event), code(move.target)) for event, move in machine.items() for state in move.sources],
    )


def worktrees() -> Iterator[str]:
    yield "## Worktrees\n"
    yield f"Made in {len(STEPS)} recorded steps: {', '.join(map(code, STEPS))} (`app/worktrees/rows.py`).\n"
    yield from table(
        ("state", "meaning"), [(code(state), WORKTREE_STATES[state]) for state in get_args(WorktreeStatus)]
    )
    yield "\nFrom `app/worktrees/states.py`, which alone writes the state. Every other move is refused.\n"
    yield from table(
        ("from", "event", "to"), [(code(move.before), code(move.event), code(move.after)) for move in WORKTREE_MOVES]
    )


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Markdown rows."""
    for cells in (head, ["---"] * len(head), *lines):
        yield f"| {' | '.join(cells)} |"


def code(word: str) -> str:
    """`word` as code."""
    return f"`{word}`"


if __name__ == "__main__":
    main()
