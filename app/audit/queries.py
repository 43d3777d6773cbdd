"""A page of the audit log, with what can be chosen and what it comes to."""

from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from app.audit.filters import KINDS, Filter
from app.audit.listing import count_entries, count_rows, places, rows_at
from app.audit.totals import totals
from app.audit.views import AuditList, Choice, Paging
from app.postgres.reading import rows, scalar
from app.projects.rows import ProjectRow
from app.web.forms import Entered
from app.web.hidden import name_hidden

#: Rows of a page. The newest one has up to one less than twice as many, so that it never has only a few.
PAGE = 50
#: Tasks that can be chosen, the newest; any other can be named in the address.
_TASKS = 200


class _Named(Struct, frozen=True):
    id: str
    name: str


async def audit_page(project: ProjectRow, wanted: Filter, number: int = 0) -> AuditList:
    """The page `number`, or the newest."""
    sums = await totals(project.id, wanted)
    found = sums.calls + await count_entries(project.id, wanted)
    paging = _paging(found, number, wanted)
    first = (paging.number - 1) * PAGE
    if paging.number == paging.pages:
        chosen = await places(project.id, wanted, limit=max(found - first, PAGE), newest=True)
    else:
        chosen = (await places(project.id, wanted, limit=PAGE, skip=first))[::-1]
    return AuditList(
        **await _choices(project, wanted),
        rows=tuple(await rows_at(project.id, chosen)),
        total=await count_rows(project.id) if wanted.terms else found,
        found=found,
        query=f"?{urlencode(wanted.terms)}" if wanted.terms else "",
        paging=paging,
        totals=sums,
    )


async def empty_page(project: ProjectRow, form: Entered) -> AuditList:
    """The page of a filter that cannot be read: what was typed, and what is wrong with it."""
    return AuditList(**await _choices(project, Filter()), form=form)


async def _choices(project: ProjectRow, wanted: Filter) -> dict[str, Any]:
    kinds = [kind for kinds in KINDS.values() for kind in kinds]
    return {
        "project_id": project.id,
        "filter": wanted,
        "tools": await _named(_TOOLS, project.id),
        "agents": await _named(_AGENTS, project.id),
        "tasks": await _tasks(project.id, wanted.task),
        "people": await _named(_PEOPLE, project.id, kinds),
    }


_TOOLS = "SELECT tool AS id, tool AS name FROM audit_logs WHERE project_id = $1 GROUP BY tool ORDER BY tool"
_AGENTS = "SELECT id, name FROM agents WHERE project_id = $1 ORDER BY lower(name), id"
_PEOPLE = """
SELECT DISTINCT actor AS id, actor AS name FROM audit_chain
WHERE project_id = $1 AND kind = ANY($2) AND actor_kind = 'person' ORDER BY actor
"""
_NEWEST_TASKS = "SELECT id, title AS name FROM tasks WHERE project_id = $1 ORDER BY updated_at DESC, id LIMIT $2"


async def _named(sql: str, *args: Any) -> tuple[Choice, ...]:
    return tuple((each.id, name_hidden(each.name)) for each in await rows(_Named, sql, *args))


async def _tasks(project_id: str, chosen: str) -> tuple[Choice, ...]:
    """The newest tasks, and the chosen one, which may be old, or deleted."""
    found = await _named(_NEWEST_TASKS, project_id, _TASKS)
    if not chosen or chosen in dict(found):
        return found
    title = await scalar("SELECT title FROM tasks WHERE id = $1 AND project_id = $2", chosen, project_id)
    return ((chosen, title or "A deleted task"), *found)


def _paging(found: int, number: int, wanted: Filter) -> Paging:
    pages = max(1, found // PAGE)
    number = min(number, pages) if number > 0 else pages

    def address(page: int) -> str:
        return "?" + urlencode(wanted.terms | ({"page": str(page)} if page < pages else {}))

    return Paging(
        number=number,
        pages=pages,
        newest=address(pages) if number < pages else "",
        newer=address(number + 1) if number < pages else "",
        older=address(number - 1) if number > 1 else "",
        oldest=address(1) if number > 1 else "",
    )
