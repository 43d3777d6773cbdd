"""What the review page shows: the diff from where the branch parted, the state of the merge, earlier decisions."""

import re
from datetime import datetime
from typing import Literal

from app.accounts.people import Person
from app.agents.asked import asked_by
from app.agents.rows import get_agent
from app.errors import NotFound
from app.events.reading import LoggedEvent
from app.git.diffs import FileChange, patch, printable
from app.git.refs import tree_of
from app.postgres.reading import rows
from app.reviews.checking import state_of_checks
from app.reviews.checks import CheckRow
from app.reviews.comparing import Comparison, compare, while_it_is_there
from app.reviews.conflicts import described, meaning
from app.reviews.merging import default_message
from app.reviews.views import CheckView, ConflictView, DecisionMade, FilePage, FileView, ReviewPage
from app.runs.rows import runs_of_task
from app.tasks.rows import TaskRow
from app.tasks.stages import stage_of
from app.tasks.views import AgentLink, PageNotice
from app.web.diffs import render_diff
from app.web.markdown import to_html

#: Files whose diff stands open at first, and changed lines above which a file is closed.
OPEN_FILES = 40
LARGE_LINES = 600
#: Files that the page lists.
LISTED = 1000

_GENERATED = re.compile(
    r"(^|/)(package-lock\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|uv\.lock|poetry\.lock|Cargo\.lock|go\.sum|"
    r"Gemfile\.lock|composer\.lock)$|\.min\.(js|css)$|\.(map|snap)$"
)

_DECISIONS: dict[str, Literal["rejected", "conflict", "undone"]] = {
    "rejected": "rejected",
    "conflict": "conflict",
    "undone": "undone",
}

_LIMITS = {"turn_limit": "The agent reached its turn limit.", "budget": "The agent reached its budget."}


async def review_page(task: TaskRow, person: Person, **answer: object) -> ReviewPage:
    """The page as it is now; `answer` is what a form came back with. `TASK_NO_DIFF` where there is no worktree."""
    comparison = await compare(task)
    runs = await runs_of_task(task.id)
    agent = await get_agent(task.agent_id) if task.agent_id else None
    waiting = task.column == "waiting_approval"
    with while_it_is_there():
        files = [await _file(task, comparison, change, n) for n, change in enumerate(comparison.changes[:LISTED])]
        checks = tuple(_check(name, row) for name, row in await state_of_checks(comparison))
    known: dict[str, object] = {"notices": _notices(task) if waiting else ()}
    return ReviewPage(
        task_id=task.id,
        title=task.title,
        column=task.column,
        stage=stage_of(task.column, agent.status if agent else None, bool(agent and await asked_by(agent.id))),
        agent=AgentLink(agent.id, agent.name, agent.status) if agent else None,
        session_id=task.session_id,
        run_number=runs[0].number if runs else None,
        turns=task.turn_count or None,
        waiting_since=task.completed_at if waiting else None,
        branch=comparison.worktree.branch,
        base_branch=comparison.worktree.base_branch,
        base_oid=comparison.base,
        head_oid=comparison.head,
        digest=comparison.digest,
        files=tuple(files),
        added=sum(change.added or 0 for change in comparison.changes),
        removed=sum(change.removed or 0 for change in comparison.changes),
        files_left_out=max(0, len(comparison.changes) - LISTED),
        behind=comparison.behind,
        conflicts=tuple(_conflicts(comparison)),
        checks=checks,
        unresolved=comparison.unresolved,
        nothing_to_merge=comparison.nothing_to_merge,
        can_decide=waiting,
        approver=person.name,
        message=default_message(task, person.name),
        decisions=await decisions_of(task),
        **{**known, **answer},  # type: ignore[arg-type]
    )


def _notices(task: TaskRow) -> tuple[PageNotice, ...]:
    reached = task.metadata.ended_by or ""
    if reached not in _LIMITS:
        return ()
    return (PageNotice(title=_LIMITS[reached], text="What it had done is shown here.", tone="need", code=reached),)


async def file_page(task: TaskRow, path: str) -> FilePage:
    """One file's whole diff. `TASK_NO_DIFF` for a file that did not change."""
    comparison = await compare(task)
    change = next((each for each in comparison.changes if path in (each.path, printable(each.path))), None)
    if change is None:
        raise NotFound("This file does not differ any more.", "TASK_NO_DIFF")
    with while_it_is_there():
        shown = await _view(task, comparison, change, whole=True)
    return FilePage(
        task_id=task.id,
        title=task.title,
        column=task.column,
        stage=stage_of(task.column, None),
        digest=comparison.digest,
        file=shown,
    )


async def decisions_of(task: TaskRow) -> tuple[DecisionMade, ...]:
    """Every decision on the task, oldest first."""
    found = await rows(
        LoggedEvent,
        "SELECT number, project_id, session_id, kind, subject, actor_kind, actor, payload, at FROM events"
        " WHERE project_id = $1 AND subject = $2 AND kind = 'task.decided' ORDER BY number",
        task.project_id,
        task.id,
    )
    return tuple(_decision(event.actor, event.at, event.payload) for event in found)


def _decision(person: str, at: datetime, payload: dict[str, object]) -> DecisionMade:
    merged = str(payload.get("commit") or "")
    decided = str(payload.get("decision"))
    return DecisionMade(
        decision=_DECISIONS.get(decided) or ("approved" if merged else "accepted"),
        person=person,
        at=at,
        digest=str(payload.get("digest") or ""),
        merged_as=merged,
        despite=tuple(map(str, _list(payload.get("despite")))),
        reason_html=to_html(str(payload.get("text") or ""), breaks=True),
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _check(name: str, row: CheckRow | None) -> CheckView:
    if row is None:
        return CheckView(name=name, note="not run")
    stage = {"passed": "done", "running": "starting"}.get(row.status, "error")
    note = "running" if row.status == "running" else ""
    return CheckView(name=name, stage=stage, note=note, duration=row.duration_ms, log=row.log or "")


def _conflicts(comparison: Comparison) -> list[ConflictView]:
    return [ConflictView(each["path"], meaning(each["kind"])) for each in described(comparison.conflicts)]


async def _file(task: TaskRow, comparison: Comparison, change: FileChange, place: int) -> FileView:
    lines = (change.added or 0) + (change.removed or 0)
    large = lines > LARGE_LINES or place >= OPEN_FILES
    generated = _GENERATED.search(change.path) is not None
    if large or generated:
        return _closed(task, change, large, generated)
    return await _view(task, comparison, change)


def _closed(task: TaskRow, change: FileChange, large: bool, generated: bool) -> FileView:
    return FileView(
        task_id=task.id,
        path=change.path,
        old_path=change.old_path if change.old_path != change.path else "",
        status=change.status,
        added=change.added,
        removed=change.removed,
        large=large,
        generated=generated,
    )


async def _view(task: TaskRow, comparison: Comparison, change: FileChange, whole: bool = False) -> FileView:
    root = comparison.root
    old = change.old_path if change.old_path != change.path else None
    text = await patch(root, await tree_of(root, comparison.fork), comparison.tree, change.path, old)
    diff = render_diff(
        text.text, path=change.path, old_path=old or "", status=change.status, **({"max_rows": 0} if whole else {})
    )
    return FileView(
        task_id=task.id,
        path=change.path,
        old_path=old or "",
        status=change.status,
        added=change.added,
        removed=change.removed,
        diff=diff,
    )
