"""A small application with all of app/web in front of a few probes."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from asyncpg.exceptions import InterfaceError
from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath
from litestar.testing import TestClient
from msgspec import Meta, Struct

from app.errors import Conflict, Forbidden, InvalidId, NotFound, Unavailable
from app.web import assets, controllers, csrf, errors, limits, replies, security
from app.web.context import page_context
from app.web.forms import read_form


class NameForm(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=10)]
    count: Annotated[int, Meta(ge=1, le=10)] = 3


RAISED: dict[str, Exception] = {
    "conflict": Conflict("Send it back first.", "TASK_INVALID_TRANSITION", allowed=["reject"]),
    "missing": NotFound("There is no task here.", "TASK_NOT_FOUND"),
    "forbidden": Forbidden("Only an admin may."),
    "invalid-id": InvalidId("That is no id."),
    "away": Unavailable("The database is away."),
    "refused": ConnectionRefusedError("127.0.0.1:5432"),
    "cut": InterfaceError("cannot call Transaction.rollback(): the underlying connection is closed"),
    "bug": RuntimeError("secret=hunter2"),
    "hostile": Conflict("<script>alert(1)</script>", "X"),
}


@get("/raise/{name:str}", sync_to_thread=False)
def raises(name: FromPath[str]) -> None:
    raise RAISED[name]


@get("/form", sync_to_thread=False)
def form_page(request: Request[Any, Any, Any]) -> Response[str]:
    return replies.html_response(request, "<form><!--csrf--></form>", page_context(request).csrf_token)


@post("/form", status_code=200)
async def take_form(request: Request[Any, Any, Any]) -> Response[Any]:
    form = await read_form(request, NameForm)
    changed = [replies.Partial("#name", f"<b>{form.name}</b>", "innerHTML")] if form.count > 1 else []
    return replies.after_change(request, f"/names/{form.name}", changed)


@pytest.fixture(scope="session")
def application() -> Litestar:
    return Litestar(
        [raises, form_page, take_form, assets.static_file, controllers.ThemeController, controllers.PatternsController],
        exception_handlers=errors.exception_handlers(),
        before_send=[security.add_security_headers],
        middleware=[security.AllowedHosts(["board.example.lan"])],
        csrf_config=csrf.csrf_config("s" * 40),
        request_max_body_size=limits.REQUEST_BODY,
        openapi_config=None,
    )


@pytest.fixture
def client(application: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as made:
        made.follow_redirects = False
        yield made


@pytest.fixture
def token(client: TestClient[Litestar]) -> str:
    """The token of this client's visit, as a form carries it."""
    page = client.get("/form").text
    return page.split('name="_csrf_token" value="')[1].split('"')[0]
