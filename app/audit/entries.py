"""What the chain says of each kind of thing; tool calls are in `calls.py`.

Every function is called in the project's lock, where the thing happens, and returns the chain's new head.
"""

from typing import Any

from msgspec import Struct

from app.audit.chain import Head, append_in_lock
from app.events.recording import Actor


class Decision(Struct, frozen=True, kw_only=True):
    """What a person decided on a task, and what lay before that person: ids of commits, empty without a diff."""

    task_id: str
    title: str
    decision: str
    reason: str = ""
    base_branch: str = ""
    base: str = ""
    head: str = ""
    digest: str = ""
    #: What spoke against it when it was approved all the same.
    despite: tuple[str, ...] = ()


class Merging(Struct, frozen=True, kw_only=True):
    """A base branch that has moved: by a merge, or by the undo of one. Ids of commits."""

    id: str
    kind: str
    task_id: str | None
    method: str
    base_branch: str
    branch: str
    #: The base branch before and after, and the tip of the task's branch.
    old_oid: str
    new_oid: str
    branch_oid: str | None
    digest: str
    reason: str | None


async def decided(project_id: str, decision: Decision, actor: Actor) -> Head:
    """A person approved, rejected, sent back, or undid."""
    return await append_in_lock(project_id, "decision", decision.task_id, _told(decision, "task_id"), actor=actor)


async def merged(project_id: str, merging: Merging, actor: Actor) -> Head:
    """A base branch has moved."""
    kind = "undo" if merging.kind == "undo" else "merge"
    return await append_in_lock(project_id, kind, merging.id, _told(merging, "id", "kind"), actor=actor)  # type: ignore[arg-type]


async def asked(project_id: str, question_id: str, question: dict[str, Any], actor: Actor) -> Head:
    """An agent needs a person's permission, or has reached a limit: `question` has the task, the run and the rest."""
    return await append_in_lock(project_id, "question", question_id, question, actor=actor)


async def answered(project_id: str, question_id: str, answer: dict[str, Any], actor: Actor) -> Head:
    """A person allowed or denied, or nobody was asked any more: `answer` has what was decided, and the note."""
    return await append_in_lock(project_id, "answer", question_id, answer, actor=actor)


async def warned(project_id: str, alert_id: str, warning: dict[str, Any], actor: Actor) -> Head:
    """A run came near to a limit, passed it, or was ended by it: `warning` has the run, the limit and what was used."""
    return await append_in_lock(project_id, "warning", alert_id, warning, actor=actor)


def _told(struct: Struct, *but: str) -> dict[str, Any]:
    values = {name: getattr(struct, name) for name in struct.__struct_fields__ if name not in but}
    return {name: value for name, value in values.items() if value not in ("", None, ())}
