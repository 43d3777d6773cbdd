"""Read a chain in pages, each entry as it was hashed."""

from collections.abc import AsyncIterator
from datetime import datetime

from msgspec import Struct

from app.audit.chain import moment
from app.audit.offline_verify import Entry
from app.postgres.reading import rows

#: Entries that are read at a time.
PAGE = 250

_SELECT = """
SELECT id, project_id, number, kind, subject_id, actor_kind, actor, at, content, previous_hash, hash FROM audit_chain
WHERE project_id = $1
"""
_FIRST = (-(2**62), 0)


class _Row(Struct, frozen=True):
    id: int
    project_id: str
    number: int
    kind: str
    subject_id: str
    actor_kind: str
    actor: str
    at: datetime
    content: str
    previous_hash: str
    hash: str


async def pages(project_id: str, until: int) -> AsyncIterator[list[Entry]]:
    """Every entry up to the number `until`, in their order; also those whose number no entry can have."""
    page = f"{_SELECT} AND number <= $2 AND (number, id) > ($3, $4) ORDER BY number, id LIMIT {PAGE}"
    number, id = _FIRST
    while found := await rows(_Row, page, project_id, until, number, id):
        yield [_entry(row) for row in found]
        number, id = found[-1].number, found[-1].id


async def entries_following(project_id: str, hash: str) -> list[Entry]:
    """All that name this hash as the one before theirs: one, where nobody has changed anything."""
    following = f"{_SELECT} AND previous_hash = $2 ORDER BY number LIMIT 100"
    return [_entry(row) for row in await rows(_Row, following, project_id, hash)]


async def entry_at(project_id: str, number: int) -> Entry | None:
    """The entry with this number."""
    found = await rows(_Row, f"{_SELECT} AND number = $2 ORDER BY id LIMIT 1", project_id, number)
    return _entry(found[0]) if found else None


async def entries_of_kind(project_id: str, kind: str) -> list[Entry]:
    """The entries of a kind that is rare."""
    return [_entry(row) for row in await rows(_Row, f"{_SELECT} AND kind = $2 ORDER BY number", project_id, kind)]


def _entry(row: _Row) -> Entry:
    return Entry(
        project=row.project_id,
        number=row.number,
        kind=row.kind,
        subject=row.subject_id,
        at=moment(row.at),
        actor_kind=row.actor_kind,
        actor=row.actor,
        content=row.content,
        previous_hash=row.previous_hash,
        hash=row.hash,
    )
