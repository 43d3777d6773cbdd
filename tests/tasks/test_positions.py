"""Whatever happens to cards in whatever order, each column holds the positions 0..n-1, in the order people gave it."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import Conflict
from app.postgres.reading import execute
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.runs.cancelling import cancel
from app.tasks.creating import create_task
from app.tasks.editing import delete_task
from app.tasks.forms import NewTask
from app.tasks.moving import reorder, transition
from app.tasks.rows import Column, get_task, tasks_of
from app.tasks.starting import start
from tests.workshop import MARA

Model = dict[Column, list[str]]
PLACE = st.none() | st.integers(0, 6)
CARD = st.integers(0, 9)
ACTIONS = st.one_of(
    st.tuples(st.just("create"), st.booleans(), st.just(None)),
    st.tuples(st.sampled_from(["start", "complete", "approve", "reject", "cancel", "delete"]), CARD, PLACE),
    st.tuples(st.just("reorder"), CARD, st.integers(0, 6)),
)
#: From, to.
MOVES: dict[str, tuple[tuple[Column, ...], Column]] = {
    "start": (("backlog",), "in_progress"),
    "complete": (("in_progress",), "waiting_approval"),
    "approve": (("waiting_approval",), "verified"),
    "reject": (("waiting_approval",), "in_progress"),
    "cancel": (("in_progress", "waiting_approval"), "backlog"),
}


@given(st.lists(ACTIONS, min_size=8, max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_columns_stay_whole(project: ProjectRow, actions: list) -> None:
    await execute("DELETE FROM tasks")
    model: Model = {"backlog": [], "in_progress": [], "waiting_approval": [], "verified": []}
    for action in actions:
        await carry_out(project, model, *action)
        assert await board(project) == model


async def board(project: ProjectRow) -> Model:
    found: Model = {"backlog": [], "in_progress": [], "waiting_approval": [], "verified": []}
    for task in await tasks_of(project.id):
        assert task.position == len(found[task.column])
        found[task.column].append(task.id)
    return found


async def carry_out(project: ProjectRow, model: Model, verb: str, which: int | bool, place: int | None) -> None:
    if verb == "create":
        task = await create_task(project.id, NewTask(title="card", start=bool(which)), MARA)
        model["in_progress" if which else "backlog"].insert(len(model["in_progress"]) if which else 0, task.id)
        return
    cards = sorted(card for column in model.values() for card in column)
    if not cards:
        return
    card = cards[which % len(cards)]
    before = next(column for column, held in model.items() if card in held)
    try:
        await _carry_out(project, verb, card, place)
    except Conflict:
        assert not _is_legal(verb, before)
        return
    assert _is_legal(verb, before)
    model[before].remove(card)
    if verb != "delete":
        column = model[before if verb == "reorder" else MOVES[verb][1]]
        column.insert(len(column) if place is None else place, card)


async def _carry_out(project: ProjectRow, verb: str, card: str, place: int | None) -> None:
    match verb:
        case "start":
            await start(card, actor=MARA, position=place)
        case "cancel":
            await cancel(card, actor=MARA, position=place)
        case "delete":
            await delete_task(card, MARA)
        case "reorder":
            async with locked(project.id):
                await reorder(await get_task(card), place or 0, actor=MARA)
        case _:
            async with locked(project.id):
                await transition(await get_task(card), verb, actor=MARA, position=place)


def _is_legal(verb: str, before: Column) -> bool:
    if verb == "delete":
        return before in ("backlog", "verified")
    return verb == "reorder" or before in MOVES[verb][0]
