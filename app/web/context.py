"""What every page needs besides its own content: where we are, who looks, and how the page stays live."""

from typing import Any

from litestar import Request
from litestar.template.base import csrf_token
from msgspec import Struct

THEME_COOKIE = "agentpane_theme"
THEMES = ("system", "light", "dark")


class ProjectLink(Struct, frozen=True):
    """One project as the switcher shows it; `waiting` counts what needs a person there."""

    id: str
    name: str
    waiting: int = 0


class PageContext(Struct, frozen=True, kw_only=True):
    """The frame around a page's content. Templates know it as `page`.

    `section` is the name of the current place in the navigation (`Board`, `Sessions`, … or `Projects`). `attention` is
    how many things need a person (in `project`, or everywhere), None where that is not known. `stream` is the URL of
    the page's event stream with the number to resume from (`/projects/x/events?after=41`), empty when nothing streams.
    `theme` is one of `THEMES`.
    """

    section: str = ""
    project: ProjectLink | None = None
    projects: tuple[ProjectLink, ...] = ()
    attention: int | None = None
    person: str = ""
    theme: str = "system"
    csrf_token: str = ""
    path: str = "/"
    stream: str = ""


def page_context(request: Request[Any, Any, Any], **known: Any) -> PageContext:
    """A `PageContext` with what the request itself tells: theme, CSRF token and path; `known` gives the rest."""
    theme = request.cookies.get(THEME_COOKIE, "system")
    return PageContext(
        theme=theme if theme in THEMES else "system",
        csrf_token=csrf_token({"request": request}),
        path=request.url.path,
        **known,
    )
