"""The board, live: what changed since a number, as partials rendered once per event and not once per viewer."""

from app.board.kept import board_at
from app.board.parts import at_work, attention, card_placed, card_removed, column_heads
from app.board.queries import cards_about
from app.events import reading
from app.events.fanout import Frame, Topic
from app.events.reading import LoggedEvent
from app.events.stream import frame
from app.projects.rows import get_project
from app.web.replies import Partial
from app.web.replies import frame as as_partials

#: Kinds after which places in the queue, counts and the attention strip may be others.
_REORDERING = (
    "task.moved",
    "task.created",
    "task.deleted",
    "task.begun",
    "task.queued",
    "task.failed",
    "agent.",
    "permission.",
    "budget.",
)

#: What people ask of a run, and what it asks of them, stands on its card.
_OF_RUNS = ("run.pause_requested", "run.resume_requested", "permission.", "budget.")


def topic(project_id: str) -> Topic:
    """The stream of one project's board."""

    async def read(after: int) -> list[LoggedEvent]:
        return await reading.of_project(project_id, after)

    async def render_batch(events: list[LoggedEvent]) -> list[Frame]:
        return [frame(events[-1].number, "board", as_partials(await changes(project_id, events)))]

    async def last_number() -> int:
        return await reading.last_number(project_id)

    return Topic(f"project:{project_id}", read, render_batch, last_number)


async def changes(project_id: str, events: list[LoggedEvent]) -> list[Partial]:
    """The board's places that these events changed, as they are now."""
    tasks = {event.subject for event in events if event.subject and event.kind.startswith(("task.", "worktree."))}
    tasks |= {
        event.payload["task"] for event in events if event.kind.startswith(_OF_RUNS) and event.payload.get("task")
    }
    agents = {event.subject for event in events if event.subject and event.kind.startswith("agent.")}
    reorder = any(map(_moves_others, events))
    return await parts_about(project_id, tasks, agents, reorder)


def _moves_others(event: LoggedEvent) -> bool:
    """Whether more than the card may be another; a browser renumbers the neighbours of a reordered card by itself."""
    if event.kind == "task.moved" and event.payload.get("cause") == "reorder":
        return is_queue(event.payload["to"])
    return event.kind.startswith(_REORDERING)


def is_queue(column: str) -> bool:
    """Whether an order of cards in `column` is also an order of who is next."""
    return column == "in_progress"


async def parts_about(
    project_id: str, tasks: set[str], agents: set[str] | None = None, reorder: bool = True
) -> list[Partial]:
    """The cards of these tasks and agents wherever they are now; with `reorder`, queue, counts and attention too."""
    cards = await cards_about(project_id, tasks, agents or set(), reorder)
    gone = tasks - {card.id for card in cards}
    parts = [card_removed(task) for task in sorted(gone)] + [card_placed(card) for card in cards]
    if reorder:
        project, number = await get_project(project_id), await reading.last_number(project_id)
        board = await board_at(project, number)
        parts += [*column_heads(board.columns), *attention(project_id, board.attention), at_work(board)]
    return parts
