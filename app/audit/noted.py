"""What else the database says of a chain: heads that events have noted, and calls that must be in it.

By these the removal of what came last is found, of which the chain itself shows nothing. Each question is one
statement, so its answer is true of one moment even while calls are recorded.
"""

from datetime import datetime

from msgspec import Struct

from app.audit.offline_verify import Broken, named
from app.postgres.reading import one, scalar

_NOTED = """
SELECT CASE WHEN payload -> 'chain' ->> 'number' ~ '^\\d{1,18}$' THEN (payload -> 'chain' ->> 'number')::bigint
       ELSE 0 END AS number, payload -> 'chain' ->> 'hash' AS hash FROM events
WHERE project_id = $1 AND payload ? 'chain'
"""
_UNLIKE_NOTED = f"""
SELECT noted.number, found.number AS found FROM ({_NOTED}) noted
LEFT JOIN audit_chain found ON found.project_id = $1 AND found.number = noted.number
WHERE found.hash IS DISTINCT FROM noted.hash ORDER BY noted.number LIMIT 1
"""  # noqa: S608
_IN_CHAIN = "SELECT FROM audit_chain c WHERE c.project_id = $1 AND c.subject_id = a.id AND c.kind"
_BEGAN = f"EXISTS ({_IN_CHAIN} = 'tool_call')"
_ENDED = f"EXISTS ({_IN_CHAIN} IN ('tool_result', 'tool_refused'))"
#: A call of a chain that has begun has an entry, and so has the end of one that has ended.
_WITHOUT_ENTRY = f"""
SELECT a.id, a.tool, a.timestamp FROM audit_logs a WHERE a.project_id = $1 AND (
    (NOT {_BEGAN} AND a.timestamp > (SELECT at FROM audit_chain WHERE project_id = $1 AND number = 1))
    OR ({_BEGAN} AND a.status IN ('complete', 'error') AND NOT {_ENDED})
) ORDER BY a.timestamp, a.id LIMIT 1
"""  # noqa: S608
_OLDER = f"SELECT count(*) FROM audit_logs a WHERE a.project_id = $1 AND NOT {_BEGAN}"  # noqa: S608
_SAID_OLDER = "SELECT (content::jsonb ->> 'calls_before')::int FROM audit_chain WHERE project_id = $1 AND number = 1"
_UNTOLD = f"""
SELECT number, kind FROM audit_chain WHERE project_id = $1 AND number <= $2
AND kind IN ('decision', 'merge', 'undo', 'retention')
AND number > (SELECT coalesce(max(number), 0) FROM ({_NOTED}) noted) ORDER BY number LIMIT 1
"""  # noqa: S608


class _Noted(Struct, frozen=True):
    number: int
    found: int | None


class _Call(Struct, frozen=True):
    id: str
    tool: str
    timestamp: datetime


class _Untold(Struct, frozen=True):
    number: int
    kind: str


async def hash_at(project_id: str, number: int) -> str:
    """The hash of an entry; empty where there is none."""
    found = await scalar("SELECT hash FROM audit_chain WHERE project_id = $1 AND number = $2", project_id, number)
    return str(found or "")


async def entry_unlike_noted(project_id: str, last: int) -> Broken | None:
    """Whether the chain has every head that an event of a decision has noted."""
    noted = await one(_Noted, _UNLIKE_NOTED, project_id)
    if noted is None:
        return None
    return named("cut off", last + 1) if noted.found is None else named("rewritten", noted.number)


async def call_without_entry(project_id: str, last: int) -> Broken | None:
    """Whether every call is in the chain; those that are older are counted in its first entry."""
    if last == 0:
        return None
    if call := await one(_Call, _WITHOUT_ENTRY, project_id):
        return Broken(
            "cut off",
            last + 1,
            f"Entry {last + 1:,} is missing, or a call was put in later: the {call.tool} call {call.id} of"
            f" {call.timestamp:%Y-%m-%d %H:%M:%S} UTC has no entry for its beginning or its end.",
        )
    older, said = await scalar(_OLDER, project_id), await scalar(_SAID_OLDER, project_id)
    if older == said:
        return None
    return Broken("row missing", 1, f"{said} calls are said to be older than the chain, and {older} are there.")


async def entry_that_nothing_tells_of(project_id: str, last: int) -> Broken | None:
    """Whether each decision and merge at the end is one that an event tells of: a hash that fits can be made."""
    untold = await one(_Untold, _UNTOLD, project_id, last)
    if untold is None:
        return None
    sentence = f"Entry {untold.number:,}, a {untold.kind}, was put in later: no event tells of it."
    return Broken("inserted", untold.number, sentence)
