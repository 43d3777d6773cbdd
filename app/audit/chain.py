"""The chain of a project: each entry holds the hash of the one before, so that none can be changed unseen.

`append_in_lock` is its only writer, in the transaction of what it tells of: neither is there without the other.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct

from app.audit.offline_verify import FORMAT, GENESIS, Entry, entry_hash, hashed_text
from app.clock import now
from app.events.recording import SYSTEM, Actor, require_lock
from app.postgres.reading import execute, one, scalar

Kind = Literal[
    "begin",
    "tool_call",
    "tool_result",
    "tool_refused",
    "question",
    "answer",
    "decision",
    "merge",
    "undo",
    "retention",
    "warning",
]


#: What stands before the number in the text that is hashed.
_UNTIL_NUMBER = f'["{FORMAT}","{{}}",'
#: Number and previous hash are put into that text where the newest entry is read: one statement for each entry.
_NEXT = """
WITH head AS (SELECT number, hash FROM audit_chain WHERE project_id = $1 ORDER BY number DESC LIMIT 1)
INSERT INTO audit_chain
    (project_id, number, kind, subject_id, actor_kind, actor, at, content, previous_hash, hash)
SELECT $1, number + 1, $2, $3, $4, $5, $6, $7, hash,
       encode(sha256(convert_to($8::text || number + 1 || $9::text || hash || $10::text, 'UTF8')), 'hex')
FROM head RETURNING number, hash
"""


class Head(Struct, frozen=True):
    """The newest entry of a chain. Whoever noted it can tell later whether the chain was cut or written anew."""

    number: int = 0
    hash: str = GENESIS


async def append_in_lock(
    project_id: str, kind: Kind, subject_id: str, content: dict[str, Any], *, actor: Actor, at: datetime | None = None
) -> Head:
    """Add an entry about `subject_id` and return it as the chain's new head. The caller holds the project's lock."""
    require_lock(project_id, f"a {kind} in the chain")
    at = at or now()
    if head := await _append(project_id, kind, subject_id, content, actor, at):
        return head
    await _begin(project_id, subject_id if kind == "tool_call" else "")
    head = await _append(project_id, kind, subject_id, content, actor, at)
    assert head is not None, "the chain has begun"
    return head


async def head_of(project_id: str) -> Head:
    """The newest entry; number 0 of a chain that has not begun."""
    newest = "SELECT number, hash FROM audit_chain WHERE project_id = $1 ORDER BY number DESC LIMIT 1"
    return await one(Head, newest, project_id) or Head()


def moment(at: datetime) -> str:
    """A moment as entries write it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def parse_moment(written: str) -> datetime:
    """The moment that `moment` wrote."""
    return datetime.fromisoformat(written.replace("Z", "+00:00"))


async def _append(
    project_id: str, kind: str, subject_id: str, content: dict[str, Any], actor: Actor, at: datetime
) -> Head | None:
    """The next entry; None when the chain has not begun. Its number and the hash before are known to the database."""
    entry = _entry(project_id, kind, subject_id, content, actor, at)
    text = hashed_text(entry)
    place = len(_UNTIL_NUMBER.format(project_id))
    return await one(
        Head, _NEXT, project_id, kind, subject_id, actor.kind, actor.name, at, entry.content, text[:place],
        text[place + 1 : -2], text[-2:],
    )  # fmt: skip


async def _begin(project_id: str, new_call: str) -> None:
    """A project may be older than its chain, whose first entry says how many calls are not in it."""
    calls = await scalar("SELECT count(*) FROM audit_logs WHERE project_id = $1 AND id <> $2", project_id, new_call)
    at = now()
    first = replace(
        _entry(project_id, "begin", project_id, {"calls_before": calls}, SYSTEM, at), number=1, previous_hash=GENESIS
    )
    await execute(
        "INSERT INTO audit_chain (project_id, number, kind, subject_id, actor_kind, actor, at, content, previous_hash,"
        " hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        project_id, first.number, first.kind, first.subject, first.actor_kind, first.actor, at, first.content,
        first.previous_hash, entry_hash(first),
    )  # fmt: skip


def _entry(project_id: str, kind: str, subject_id: str, content: dict[str, Any], actor: Actor, at: datetime) -> Entry:
    """An entry that has no place yet."""
    return Entry(
        project=project_id,
        number=0,
        kind=kind,
        subject=subject_id,
        at=moment(at),
        actor_kind=actor.kind,
        actor=actor.name,
        content=json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
        previous_hash="",
    )
