"""Prints `docs/lifecycles.md`: the states and legal moves of tasks, agents, runs and worktrees, from the code."""

from collections.abc import Iterator, Sequence
from typing import get_args

from app.agents.rows import FREE, LIVE
from app.agents.states import FOLLOWS
from app.runners.base import ErrorType
from app.runs.counting import HANDED_IN
from app.tasks.states import NAMES, TRANSITIONS
from app.worktrees.rows import STEPS, WorktreeStatus
from app.worktrees.states import TRANSITIONS as WORKTREE_MOVES

HEAD = """# Lifecycles

This page is printed by `bin/lifecycles` from the data in the code; `tests/docs/test_lifecycles.py` compares the two.
Each move is written under the project's lock: of two at once one is made, the other is refused with 409.

Some words are ahead of the code: no runner can pause or ends a run for `tool_denied`, and nothing sets a budget.
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
    print("\n".join([HEAD, *tasks(), "", *agents(), "", *runs(), "", *worktrees()]))


def tasks() -> Iterator[str]:
    yield "## Tasks\n"
    yield "From `app/tasks/states.py`. Every other move is refused, and the answer names the possible ones.\n"
    yield from table(
        ("from", "event", "to"), [(NAMES[move.before], code(move.event), NAMES[move.after]) for move in TRANSITIONS]
    )


def agents() -> Iterator[str]:
    yield "## Agents\n"
    yield "From `app/agents/states.py`. *Free* may take a task; *live* fills one of the project's slots.\n"
    kind = {**dict.fromkeys(FREE, "free"), **dict.fromkeys(LIVE, "live")}
    yield from table(
        ("state", "", "may become"),
        [(code(state), kind.get(state, ""), ", ".join(map(code, after))) for state, after in FOLLOWS.items()],
    )


def runs() -> Iterator[str]:
    yield "## Runs\n"
    yield (
        "A run begins as `starting`, becomes `running` when its program is about to start, and ends once, as\n"
        "`completed` or as `error` with one of these reasons (`app/runners/base.py`). *Handed in* means that the task\n"
        "goes to Waiting approval all the same, if the branch has changes (`app/runs/counting.py`).\n"
    )
    yield from table(
        ("reason", "the task"),
        [
            (code(reason), "handed in" if reason in HANDED_IN else "stays, for a person")
            for reason in get_args(ErrorType)
        ],
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
