"""What the board shows, read in a few statements whatever the number of cards."""

from datetime import datetime

from msgspec import Struct

from app.agents.rows import LIVE, AgentStatus, agents_of
from app.board.asks import asked_items
from app.board.views import AgentChoice, AttentionItem, Board, Card, LabelCount, Overview
from app.board.views import Column as BoardColumn
from app.board.views import ProjectRow as OverviewRow
from app.budgets.judging import used_up_today
from app.permissions.queries import open_questions
from app.postgres.reading import rows
from app.projects.asked import OPEN_QUESTIONS
from app.projects.rows import ProjectRow
from app.tasks.rows import Column
from app.tasks.stages import stage_of
from app.tasks.states import NAMES
from app.web.forms import Entered
from app.worktrees.rows import STEPS, StepName

#: Stages in which a card shows its run, or what came of it.
_WITH_A_RUN = ("running", "paused", "needs_you", "error", "review")
#: Stages in which its time may go on.
_COUNTING = ("running", "starting", "needs_you")
#: Characters of an error that a card shows.
_NOTE = 160


class _Row(Struct, frozen=True, kw_only=True):
    id: str
    project_id: str
    title: str
    column: Column
    position: int
    labels: tuple[str, ...]
    branch: str | None
    agent_id: str | None
    agent_name: str | None
    agent_status: AgentStatus | None
    last_error: str | None
    session_id: str | None
    step: StepName | None
    activity: str | None
    turn_count: int | None
    max_turns: int | None
    run_started_at: datetime | None
    pause_requested: bool | None
    paused_at: datetime | None
    error_type: str | None
    ended_by: str | None
    no_sandbox: bool
    near_a_limit: bool
    files_changed: int | None
    lines_added: int | None
    lines_removed: int | None
    completed_at: datetime | None
    rejection_count: int
    approved_by: str | None
    approved_at: datetime | None
    asked_path: str | None
    asked_line: str | None


class _Count(Struct, frozen=True):
    project_id: str
    column: Column
    count: int


class _AtWork(Struct, frozen=True):
    project_id: str
    name: str


_SELECT = f"""
SELECT t.id, t.project_id, t.title, t."column", t.position, coalesce(t.labels, '[]') AS labels, t.branch, t.agent_id,
  a.name AS agent_name, a.status AS agent_status, a.last_error, t.session_id,
  (SELECT s.name FROM worktree_steps s WHERE s.worktree_id = t.worktree_id AND s.status = 'running' LIMIT 1) AS step,
  r.activity, r.turn_count, r.max_turns, r.started_at AS run_started_at, r.pause_requested, r.paused_at, r.error_type,
  coalesce(r.near_a_limit, false) AS near_a_limit,
  t.metadata ->> 'endedBy' AS ended_by, coalesce((t.metadata ->> 'noSandbox')::boolean, false) AS no_sandbox,
  t.files_changed, t.lines_added, t.lines_removed, t.completed_at,
  coalesce(t.rejection_count, 0) AS rejection_count, t.approved_by, t.approved_at,
  q.path AS asked_path, q.line AS asked_line
FROM tasks t
LEFT JOIN agents a ON a.id = t.agent_id
LEFT JOIN LATERAL (
  SELECT r.turn_count, r.started_at + d.paused_ms * interval '1 millisecond' AS started_at, r.error_type,
    d.activity, d.max_turns, d.pause_requested, d.paused_at,
    EXISTS (SELECT 1 FROM budget_alerts b WHERE b.run_id = r.id AND b.status IN ('near', 'passed')) AS near_a_limit
  FROM agent_runs r JOIN run_details d ON d.run_id = r.id
  WHERE r.task_id = t.id AND t."column" = 'in_progress' AND t.agent_id IS NOT NULL
  ORDER BY d.number DESC LIMIT 1
) r ON true
LEFT JOIN LATERAL (
  SELECT q.path, q.line FROM {OPEN_QUESTIONS} q
  WHERE q.task_id = t.id AND q.agent_id = t.agent_id ORDER BY q.asked_at, q.id LIMIT 1
) q ON true
"""  # noqa: S608


_MAY_NEED_A_PERSON = "t.\"column\" = 'waiting_approval' OR (t.\"column\" = 'in_progress' AND t.agent_id IS NOT NULL)"


async def board_of(project: ProjectRow, query: str = "", label: str = "", form: Entered | None = None) -> Board:
    """The whole board, its cards filtered by `query` (title, branch or id) and `label`."""
    found = await rows(_Row, f'{_SELECT} WHERE t.project_id = $1 ORDER BY t."column", t.position, t.id', project.id)
    cards = _cards(found)
    shown = {row.id for row in found if _matches(row, query.casefold().strip(), label)}
    agents = await agents_of(project.id)
    queued = sum(card.stage == "queued" for card in cards)
    held_by = f"/projects/{project.id}/budgets" if queued and await used_up_today(project.id) else ""
    return Board(
        project_id=project.id,
        project_name=project.name,
        columns=tuple(_column(key, cards, shown, project, held_by) for key in NAMES),
        attention=(*asked_items(await open_questions(project.id)), *_attention(found)),
        labels=_labels(found),
        query=query,
        label=label,
        agents=tuple(AgentChoice(agent.id, agent.name) for agent in agents if agent.type == "task"),
        agents_at_work=sum(agent.status in LIVE for agent in agents),
        queued=queued,
        form=form or Entered(),
    )


async def overview(projects: list[ProjectRow]) -> Overview:
    """All projects with their counts, and everything that needs a person, oldest first."""
    counts = await rows(_Count, 'SELECT project_id, "column", count(*)::int AS count FROM tasks GROUP BY 1, 2')
    at_work = await rows(
        _AtWork, "SELECT project_id, name FROM agents WHERE status::text = ANY($1) ORDER BY created_at, id", LIVE
    )
    waiting = await rows(_Row, f"{_SELECT} WHERE {_MAY_NEED_A_PERSON} ORDER BY t.position, t.id")
    questions = await open_questions()
    listed, attention = [], []
    for project in projects:
        asked = [question for question in questions if question.project_id == project.id]
        items = asked_items(asked, project.name)
        items += _attention([row for row in waiting if row.project_id == project.id], project.name)
        attention += items
        count = {key: 0 for key in NAMES} | {c.column: c.count for c in counts if c.project_id == project.id}
        listed.append(
            OverviewRow(
                id=project.id,
                name=project.name,
                path=project.path,
                default_branch=project.config.default_branch,
                asks=len(asked),
                reviews=count["waiting_approval"],
                errors=sum(item.stage == "error" for item in items),
                agents=tuple(agent.name for agent in at_work if agent.project_id == project.id),
                **count,
            )
        )
    oldest_first = sorted(attention, key=lambda item: (item.since is None, item.since))
    return Overview(tuple(listed), tuple(oldest_first))


async def cards_about(project_id: str, task_ids: set[str], agent_ids: set[str], with_queue: bool) -> list[Card]:
    """The cards of these tasks, of the tasks these agents hold, and of the whole queue when it may have changed."""
    found = await rows(
        _Row,
        f"""{_SELECT} WHERE t.project_id = $1 AND (t.id = ANY($2)
          OR (t."column" = 'in_progress' AND (t.agent_id IS NULL OR t.agent_id = ANY($3))))
          ORDER BY t."column", t.position, t.id""",
        project_id,
        list(task_ids),
        list(agent_ids),
    )
    named = task_ids | {row.id for row in found if row.agent_id in agent_ids}
    return [card for card in _cards(found) if card.id in named or (with_queue and card.stage == "queued")]


def _cards(found: list[_Row]) -> list[Card]:
    place = 0
    cards = []
    for row in found:
        stage = stage_of(row.column, row.agent_status if row.agent_id else None, row.asked_path is not None)
        place += stage == "queued"
        cards.append(_card(row, stage, place if stage == "queued" else 0))
    return cards


def _card(row: _Row, stage: str, queue_place: int) -> Card:
    doing = row.asked_line if stage == "needs_you" else row.activity
    tool, _, argument = (doing or "").partition(" ")
    live = stage in ("running", "paused", "needs_you")
    limit = row.ended_by if row.ended_by in ("turn_limit", "budget") else ""
    return Card(
        id=row.id,
        title=row.title,
        column=row.column,
        position=row.position,
        stage=stage,
        labels=row.labels,
        agent_id=row.agent_id or "",
        agent_name=row.agent_name or "",
        session_id=row.session_id or "",
        asked_path=(row.asked_path or "") if stage == "needs_you" else "",
        queue_place=queue_place,
        step=row.step or "" if stage == "starting" else "",
        step_number=STEPS.index(row.step) + 1 if row.step and stage == "starting" else 0,
        step_count=len(STEPS) if row.step and stage == "starting" else 0,
        tool=tool if live else "",
        argument=argument if live else "",
        turn=row.turn_count or 0,
        max_turns=row.max_turns or 0,
        running_since=row.run_started_at if stage in _COUNTING and row.paused_at is None else None,
        pause_requested=bool(row.pause_requested) and (live or stage == "starting"),
        paused_since=row.paused_at if stage == "paused" else None,
        no_sandbox=row.no_sandbox and stage in _WITH_A_RUN,
        near_a_limit=row.near_a_limit and (live or stage == "starting"),
        error_type=(row.error_type or "no live run") if stage == "error" else limit if stage == "review" else "",
        note=_note(row) if stage == "error" else "",
        files_changed=row.files_changed,
        lines_added=row.lines_added or 0,
        lines_removed=row.lines_removed or 0,
        waiting_since=row.completed_at if stage == "review" else None,
        rejection_count=row.rejection_count,
        approved_by=row.approved_by or "",
        approved_at=row.approved_at,
    )


def _note(row: _Row) -> str:
    first_line = (row.last_error or "").strip().partition("\n")[0]
    return first_line if len(first_line) <= _NOTE else first_line[: _NOTE - 1] + "…"


def _matches(row: _Row, query: str, label: str) -> bool:
    text = f"{row.title}\n{row.branch or ''}\n{row.id}".casefold()
    return query in text and (not label or label in row.labels)


def _column(key: Column, cards: list[Card], shown: set[str], project: ProjectRow, held_by: str) -> BoardColumn:
    mine = [card for card in cards if card.column == key]
    waiting = [card.waiting_since for card in mine if card.waiting_since]
    return BoardColumn(
        key=key,
        name=NAMES[key],
        cards=tuple(card for card in mine if card.id in shown),
        total=len(mine),
        slots=project.max_concurrent_agents if key == "in_progress" else 0,
        oldest=min(waiting, default=None),
        held_by=held_by if key == "in_progress" else "",
    )


def _labels(found: list[_Row]) -> tuple[LabelCount, ...]:
    counts: dict[str, int] = {}
    for row in found:
        for label in row.labels:
            counts[label] = counts.get(label, 0) + 1
    return tuple(
        LabelCount(name, count) for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    )


def _attention(found: list[_Row], project_name: str = "") -> list[AttentionItem]:
    items = []
    for row in found:
        if row.column == "waiting_approval":
            items.append(
                AttentionItem(
                    stage="review",
                    title=row.title,
                    href=f"/tasks/{row.id}/review",
                    lead="In review",
                    detail=f"{row.files_changed or 0} files" if row.files_changed != 1 else "1 file",
                    since=row.completed_at,
                    project_name=project_name,
                    action="Review",
                )
            )
        elif row.column == "in_progress" and row.agent_id and stage_of(row.column, row.agent_status) == "error":
            items.append(
                AttentionItem(
                    stage="error",
                    title=row.title,
                    href=f"/tasks/{row.id}",
                    lead="Error",
                    detail=_note(row),
                    code=row.error_type or "",
                    since=row.run_started_at,
                    project_name=project_name,
                    action="Look",
                )
            )
    return items
