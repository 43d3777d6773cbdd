"""Read a chain in pages, each entry as it was hashed."""

from datetime import datetime

from msgspec import Struct

from app.audit.chain import moment
from app.audit.offline_verify import Entry
from app.postgres.reading import rows

#: Entries that are read at a time.
PAGE = 1000

_SELECT = """
SELECT project_id, number, kind, subject_id, actor_kind, actor, at, content, previous_hash, hash FROM audit_chain
WHERE project_id = $1
"""


class _Row(Struct, frozen=True):
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


async def entries_after(project_id: str, number: int, until: int, limit: int = PAGE) -> list[Entry]:
    """The entries from `number`, which is not one of them, to `until`, which is; at most `limit`."""
    page = f"{_SELECT} AND number > $2 AND number <= $3 ORDER BY number, id LIMIT $4"
    return [_entry(row) for row in await rows(_Row, page, project_id, number, until, limit)]


async def entries_following(project_id: str, hash: str) -> list[Entry]:
    """All that name this hash as the one before theirs: one, where nobody has changed anything."""
    following = f"{_SELECT} AND previous_hash = $2 ORDER BY number LIMIT 100"
    return [_entry(row) for row in await rows(_Row, following, project_id, hash)]


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
