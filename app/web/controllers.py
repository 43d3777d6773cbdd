"""The few addresses that belong to no domain: the theme, and the page of patterns."""

from typing import Annotated, Any, Literal

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import Cookie
from msgspec import Meta, Struct

from app.web import replies
from app.web.context import THEME_COOKIE, page_context
from app.web.forms import read_form

_A_YEAR = 365 * 24 * 60 * 60


class ThemeForm(Struct, frozen=True):
    """`next` is the page to go back to, always one of ours."""

    theme: Literal["system", "light", "dark"]
    next: Annotated[str, Meta(pattern=r"^/([^/\\]|$)")] = "/"


class ThemeController(Controller):
    """Light, dark, or as the system says, kept in a cookie of this browser."""

    path = "/theme"

    @post(status_code=303)
    async def choose(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        form = await read_form(request, ThemeForm)
        response = replies.see_other(form.next)
        response.set_cookie(Cookie(THEME_COOKIE, value=form.theme, max_age=_A_YEAR, httponly=True, samesite="lax"))
        return response


class PatternsController(Controller):
    """Every component in every state, to look at and to photograph."""

    path = "/dev/patterns"
    include_in_schema = False

    @get()
    async def show(self, request: Request[Any, Any, Any]) -> Response[str]:
        return replies.page(request, "dev/patterns.html", page_context(request))
