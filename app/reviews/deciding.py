"""Write a person's decision down: an event of the board and of the session, and an entry of the chain with what it was
about. In the project's lock."""

from typing import Any

from msgspec import Struct

from app.audit.chain import Head
from app.audit.entries import Decision, Merging, decided, merged
from app.errors import Conflict
from app.events.recording import Actor, record
from app.postgres.reading import execute, one
from app.reviews.comparing import Comparison, compare
from app.tasks.rows import TaskRow

_MERGE = """
SELECT id, kind, task_id, method, base_branch, branch, old_oid, new_oid, branch_oid, digest, reason FROM merges
WHERE id = $1
"""


class Seen(Struct, frozen=True, kw_only=True):
    """The change that lay before the person: tips of base and branch, and the digest of all of it."""

    base_branch: str = ""
    base: str = ""
    head: str = ""
    digest: str = ""


def seen_in(comparison: Comparison) -> Seen:
    """What was compared, as the record of a decision names it."""
    return Seen(
        base_branch=comparison.worktree.base_branch,
        base=comparison.base,
        head=comparison.head,
        digest=comparison.digest,
    )


async def seen_now(task: TaskRow) -> Seen:
    """The change of a task as it is now; of one that has no worktree, nothing. Asks git, so call it outside of the
    lock."""
    try:
        return seen_in(await compare(task))
    except Conflict:
        return Seen()


async def record_decision(task: TaskRow, actor: Actor, payload: dict[str, Any], seen: Seen | None = None) -> None:
    """Tell the task's session of a decision, with the head that the chain has by it."""
    seen = seen or Seen()
    decision = Decision(
        task_id=task.id,
        title=task.title,
        decision=payload["decision"],
        reason=payload.get("text") or "",
        base_branch=seen.base_branch,
        base=seen.base,
        head=seen.head,
        digest=seen.digest,
        despite=tuple(payload.get("despite") or ()),
    )
    head = await decided(task.project_id, decision, actor)
    payload = {**payload, "chain": {"number": head.number, "hash": head.hash}}
    await record(task.project_id, "task.decided", actor=actor, subject=task.id, payload=payload)
    if task.session_id is not None:
        await record(
            task.project_id, "decision", actor=actor, subject=task.id, session_id=task.session_id, payload=payload
        )
        await execute("UPDATE sessions SET updated_at = now() WHERE id = $1", task.session_id)


async def record_merge(project_id: str, merge_id: str, actor: Actor) -> Head:
    """Write into the chain that a base branch has moved. An event must note its head, or one after it."""
    merging = await one(Merging, _MERGE, merge_id)
    assert merging is not None, "a merge that is journaled has its row"
    return await merged(project_id, merging, actor)
