"""The board, its stream, and the forms on it: add a card, move a card, cancel a task."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter
from litestar.response import Stream

from app.accounts.people import Person
from app.board import kept, live
from app.board.cards import render_cards
from app.board.queries import board_of
from app.errors import Invalid
from app.events.reading import last_number
from app.events.recording import Actor
from app.projects.frame import project_frame
from app.projects.locking import locked
from app.projects.rows import get_project
from app.runs.cancelling import cancel
from app.runs.submitting import submit
from app.tasks import moving, states
from app.tasks.creating import create_task
from app.tasks.forms import Cancellation, Move, NewTask
from app.tasks.rows import TaskRow, get_task
from app.tasks.starting import require_usable_repository, start
from app.web.forms import Entered, entered, form_items, parse_form, read_form
from app.web.replies import after_change, page, wants_partials
from app.web.streams import stream_of

Filter = Annotated[str, Parameter(max_length=200)]


class BoardController(Controller):
    """`/projects/{id}`: four columns of cards."""

    path = "/projects/{project_id:str}"

    @get()
    async def show(
        self, request: Request[Any, Any, Any], project_id: str, q: Filter = "", label: Filter = ""
    ) -> Response[Any]:
        """The board; `?q=` and `?label=` filter the cards."""
        return await _board_page(request, project_id, q, label)

    @get("/events")
    async def events(
        self, request: Request[Any, Any, Any], project_id: str, after: Annotated[int, Parameter(ge=0)] = 0
    ) -> Stream:
        """What changes on the board, from a number on."""
        await get_project(project_id)
        return stream_of(request, live.topic(project_id), after)

    @post("/tasks")
    async def add(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Add a card, and put it to work at once when asked."""
        project = await get_project(project_id)
        items = await form_items(request)
        try:
            form = parse_form(NewTask, items)
            if form.start:
                await require_usable_repository(project.id)
            task = await create_task(project.id, form, person.actor)
        except Invalid as wrong:
            if wants_partials(request):
                raise
            return await _board_page(request, project_id, form=entered(items, wrong), status_code=422)
        return await _answer(request, task)


class CardController(Controller):
    """`/tasks/{id}/…`: what can be done to a card from the board."""

    path = "/tasks/{task_id:str}"

    @post("/move")
    async def move(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Reorder, start, submit or cancel; a move that needs a decision answers 409 and says where to make it."""
        task = await get_task(task_id)
        form = parse_form(Move, await form_items(request))
        task = await move_card(task, form, person.actor)
        return await _answer(request, task)

    @post("/cancel")
    async def cancel(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Stop the run, keep its work on the branch, and put the card back to Backlog."""
        form = await read_form(request, Cancellation)
        task = await cancel(task_id, actor=person.actor, discard=form.discard)
        return await _answer(request, task)


async def _answer(request: Request[Any, Any, Any], task: TaskRow) -> Response[Any]:
    """The board as it is after a form: its page for everybody, the places that changed for htmx."""
    changed = await live.parts_about(task.project_id, {task.id}) if wants_partials(request) else ()
    return after_change(request, f"/projects/{task.project_id}", changed)


async def move_card(task: TaskRow, form: Move, actor: Actor) -> TaskRow:
    """Carry out what moving a card to `form.column` stands for."""
    event = states.event_for_move(task.column, form.column)
    match event:
        case "start":
            return await start(task.id, actor=actor, position=form.position)
        case "submit":
            return await submit(task.id, actor=actor, position=form.position)
        case "cancel":
            return await cancel(task.id, actor=actor, position=form.position)
        case _:
            return await _reorder(task, form, actor)


async def _reorder(task: TaskRow, form: Move, actor: Actor) -> TaskRow:
    async with locked(task.project_id):
        position = task.position if form.position is None else form.position
        return await moving.reorder(task, position, actor=actor)


async def _board_page(
    request: Request[Any, Any, Any],
    project_id: str,
    query: str = "",
    label: str = "",
    form: Entered | None = None,
    status_code: int = 200,
) -> Response[Any]:
    project = await get_project(project_id)
    after = await last_number(project_id)
    frame = await project_frame(request, project, "Board", f"/projects/{project_id}/events?after={after}")
    if not (query or label or form):
        return await kept.board_page(frame, project, after)
    board = await board_of(project, query, label, form)
    return page(request, "board/page.html", frame, status_code, board=board, render_cards=render_cards)
