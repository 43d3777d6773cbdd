"""How a handler answers: a whole page to a plain request, the partials that changed to htmx, 303 after a plain form."""

from collections.abc import Iterable
from typing import Any

from litestar import Request, Response
from litestar.enums import MediaType
from markupsafe import escape
from msgspec import Struct

from app.web.context import PageContext, page_context
from app.web.fragments import Cut, csrf_input, finish
from app.web.templates import render

#: A page may not be kept by anything between us and its reader, and is asked for again after a change.
_HEADERS = {"cache-control": "private, no-cache", "vary": "HX-Request, Cookie"}


class Partial(Struct, frozen=True):
    """New HTML for one place of a page that is already shown.

    `target` is a CSS selector. `swap` is an htmx swap style, or `place`: put the one element in `html` into the list
    `target` at its `data-position`, whether it is new there, was there, or comes from another list.
    """

    target: str
    html: str = ""
    swap: str = "outerMorph"


def wants_partials(request: Request[Any, Any, Any]) -> bool:
    """Whether htmx asked, and so can put partials in their places."""
    return request.headers.get("hx-request") == "true"


def page(
    request: Request[Any, Any, Any], template: str, context: PageContext, status_code: int = 200, **view: object
) -> Response[str]:
    """A whole page from `template`, which knows `context` as `page`, and each of `view` by its name."""
    return html_response(request, render(template, page=context, **view), context.csrf_token, status_code)


def form_again(
    request: Request[Any, Any, Any], template: str, context: PageContext, status_code: int = 422, **view: object
) -> Response[str]:
    """A page whose form could not be taken, with its input and its errors; htmx gets what stands in `main`."""
    html = render(template, page=context, **view)
    if wants_partials(request):
        html = frame([Partial("#main", _main(html))])
    return html_response(request, html, context.csrf_token, status_code)


def partials(request: Request[Any, Any, Any], changed: Iterable[Partial], status_code: int = 200) -> Response[str]:
    """The places that changed, for htmx."""
    return html_response(request, frame(changed), page_context(request).csrf_token, status_code)


def after_change(request: Request[Any, Any, Any], see: str, changed: Iterable[Partial] = ()) -> Response[Any]:
    """The answer to a form: 303 to `see`; to htmx the partials that changed, or where there are none, `see` as well."""
    if not wants_partials(request):
        return see_other(see)
    changed = tuple(changed)
    if changed:
        return partials(request, changed)
    return Response("", status_code=200, media_type=MediaType.HTML, headers={**_HEADERS, "hx-redirect": see})


def see_other(path: str) -> Response[bytes]:
    """303: the result of this form is at `path`."""
    return Response(b"", status_code=303, media_type=MediaType.HTML, headers={**_HEADERS, "location": path})


def frame(changed: Iterable[Partial]) -> str:
    """Partials as htmx reads them, in a reply and as the data of a stream's message alike."""
    return "\n".join(
        f'<hx-partial hx-target="{escape(part.target)}" hx-swap="{escape(part.swap)}">{part.html}</hx-partial>'
        for part in changed
    )


def html_response(request: Request[Any, Any, Any], html: str, token: str, status_code: int = 200) -> Response[str]:
    """`html` with its viewer's places filled."""
    return Response(
        finish(html, csrf_input(token)), status_code=status_code, media_type=MediaType.HTML, headers=dict(_HEADERS)
    )


def kept_page(html: Cut, token: str) -> Response[bytes]:
    """A page that was made before, with this viewer's places filled."""
    return Response(html.filled(token), media_type=MediaType.HTML, headers=dict(_HEADERS))


def _main(html: str) -> str:
    """The one `main` of a page: data is escaped, so no other begins or ends in it."""
    return html[html.index("<main") : html.rindex("</main>") + len("</main>")]
