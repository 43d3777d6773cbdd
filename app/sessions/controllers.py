"""The session page, its stream, the composer, presence, closing and export."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter
from litestar.response import Stream

from app.accounts.people import Person
from app.errors import Invalid
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.sessions import exporting, live, parts, presence, queueing
from app.sessions.forms import Message
from app.sessions.messaging import send
from app.sessions.queries import session_page, watchers
from app.sessions.record import Show
from app.sessions.rows import SessionRow, get_session
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.replies import after_change, page, partials, wants_partials
from app.web.streams import stream_of

Number = Annotated[int | None, Parameter(ge=0)]


class SessionController(Controller):
    """`/sessions/{id}`: the record of a task's runs, live."""

    path = "/sessions/{session_id:str}"

    @get()
    async def show(
        self,
        request: Request[Any, Any, Any],
        session_id: str,
        person: Person,
        show: Show = "all",
        before: Number = None,
        after: Number = None,
    ) -> Response[str]:
        """The page; `?show=` filters, `?before=` and `?after=` page by event number."""
        session = await presence.renew(session_id, person)
        return await _page(request, session, person, show=show, before=before, after=after)

    @get("/events")
    async def events(
        self, request: Request[Any, Any, Any], session_id: str, after: Annotated[int, Parameter(ge=0)] = 0
    ) -> Stream:
        """What happens in the session, from a number on."""
        await get_session(session_id)
        return stream_of(request, live.topic(session_id), after)

    @post("/messages")
    async def message(self, request: Request[Any, Any, Any], session_id: str, person: Person) -> Response[Any]:
        """Send a message to the agent, or start a follow-up run with it."""
        items = await form_items(request)
        try:
            session = await send(session_id, parse_form(Message, items).text, person.actor)
        except Invalid as wrong:
            session = await get_session(session_id)
            return await _composer(request, session, person, entered(items, wrong), 422)
        return await _composer(request, session, person, Entered(), 200)

    @post("/messages/{message_id:str}/withdraw")
    async def take_back(
        self, request: Request[Any, Any, Any], session_id: str, message_id: str, person: Person
    ) -> Response[Any]:
        """Take back a message that was not delivered yet."""
        session = await queueing.withdraw(session_id, message_id, person.actor)
        return await _composer(request, session, person, Entered(), 200)

    @post("/messages/{message_id:str}/edit")
    async def change(
        self, request: Request[Any, Any, Any], session_id: str, message_id: str, person: Person
    ) -> Response[Any]:
        """Change a message that was not delivered yet."""
        items = await form_items(request)
        try:
            text = parse_form(Message, items).text
        except Invalid as wrong:
            session = await get_session(session_id)
            return await _composer(request, session, person, Entered(), 422, {message_id: entered(items, wrong)})
        session = await queueing.edit(session_id, message_id, text, person.actor)
        return await _composer(request, session, person, Entered(), 200)

    @post("/messages/{message_id:str}/send")
    async def hurry(
        self, request: Request[Any, Any, Any], session_id: str, message_id: str, person: Person
    ) -> Response[Any]:
        """Have a waiting message told at once."""
        session = await queueing.send_now(session_id, message_id, person.actor)
        return await _composer(request, session, person, Entered(), 200)

    @post("/presence")
    async def present(self, request: Request[Any, Any, Any], session_id: str, person: Person) -> Response[Any]:
        """The person still looks at the session."""
        session = await presence.renew(session_id, person)
        return after_change(request, f"/sessions/{session_id}", [parts.watchers_changed(watchers(session, person))])

    @get("/export.jsonl")
    async def export_json_lines(self, session_id: str) -> Stream:
        """The whole record, one event a line."""
        session = await get_session(session_id)
        return _download(exporting.json_lines(session), "application/jsonl", f"session-{session.id}.jsonl")

    @get("/export.md")
    async def export_markdown(self, session_id: str) -> Stream:
        """The whole record as a text."""
        session = await get_session(session_id)
        return _download(exporting.markdown(session), "text/markdown; charset=utf-8", f"session-{session.id}.md")


async def session_again(
    request: Request[Any, Any, Any], session: SessionRow, person: Person, status_code: int = 422, **chosen: Any
) -> Response[str]:
    """The page with a form that came back."""
    return await _page(request, session, person, status_code, **chosen)


async def _page(
    request: Request[Any, Any, Any], session: SessionRow, person: Person, status_code: int = 200, **chosen: Any
) -> Response[str]:
    after = await live.last_in(session.id)
    shown = await session_page(session, person, **chosen)
    streaming = chosen.get("before") is None and chosen.get("after") is None and chosen.get("show", "all") == "all"
    stream = f"/sessions/{session.id}/events?after={after}" if streaming else ""
    frame = await project_frame(request, await get_project(session.project_id), "Sessions", stream)
    return page(request, "sessions/page.html", frame, status_code, session=shown)


async def _composer(
    request: Request[Any, Any, Any],
    session: SessionRow,
    person: Person,
    form: Entered,
    status_code: int,
    queue: dict[str, Entered] | None = None,
) -> Response[Any]:
    if wants_partials(request):
        shown = await session_page(session, person, composer=form, queue=queue)
        return partials(request, [parts.composer_changed(shown)], status_code)
    if status_code != 200:
        return await _page(request, session, person, status_code, composer=form, queue=queue)
    return after_change(request, f"/sessions/{session.id}#end")


def _download(chunks: Any, media_type: str, name: str) -> Stream:
    return Stream(chunks, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})
