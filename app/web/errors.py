"""The one place where an error becomes an answer: a page for people, a partial for htmx, JSON for programs."""

import logging
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException, PermissionDeniedException, ValidationException
from msgspec import Struct

from app.errors import DomainError
from app.ids import create_id
from app.postgres.errors import is_away
from app.web.context import page_context
from app.web.error_words import error_words
from app.web.referrer import came_from
from app.web.replies import Partial, html_response, partials, wants_partials
from app.web.templates import render

logger = logging.getLogger("agentpane.errors")

_CODES = {
    400: "BAD_REQUEST",
    401: "SIGN_IN",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "TOO_MANY_REQUESTS",
    503: "UNAVAILABLE",
}


class ErrorView(Struct, frozen=True):
    """An error as its templates know it. `fields` pairs a field's name with its sentence; `back` is a path of ours."""

    status: int
    code: str
    title: str
    message: str
    kept: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    back: str = ""


class Failure(Struct, frozen=True):
    """An error before it has a shape."""

    status: int
    code: str
    message: str
    details: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}


def exception_handlers() -> Mapping[Any, Any]:
    """For `Litestar(exception_handlers=…)`: application level, because misses of routes skip all others."""
    return {DomainError: _refused, HTTPException: _http_error, Exception: _unexpected}


def _refused(request: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    if error.status >= 500:
        logger.error("%s: %s", error.code, error.message, exc_info=error)
    return answer(request, Failure(error.status, error.code, error.message, error.details))


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Litestar's own: misses, wrong methods, large bodies, refused tokens."""
    if error.status_code == 500:
        return _unexpected(request, error)
    if isinstance(error, PermissionDeniedException) and "CSRF" in error.detail:
        return answer(request, Failure(403, "CSRF", "The form's token is missing, or belongs to another visit."))
    code = _CODES.get(error.status_code, "BAD_REQUEST")
    details = {"fields": _fields(error)} if isinstance(error, ValidationException) else {}
    kept = {name: value for name, value in (error.headers or {}).items() if name.lower() in ("allow", "retry-after")}
    return answer(request, Failure(error.status_code, code, _sentence(error), details, kept))


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our fault, or the database's absence. The id leads from the page to the log, which alone has the details."""
    if is_away(error):
        logger.warning("The database is away: %s: %s", type(error).__name__, error)
        away = Failure(503, "UNAVAILABLE", "The database cannot be reached.", headers={"retry-after": "5"})
        return answer(request, away)
    id = create_id()[:10]
    logger.error("Error %s at %s %s", id, request.method, request.url.path, exc_info=error)
    return answer(request, Failure(500, "INTERNAL", f"The log has the details under the id {id}.", {"id": id}))


def answer(request: Request[Any, Any, Any], failure: Failure) -> Response[Any]:
    """The error in the shape that was asked for. Never raises: a handler that fails leaves an empty answer."""
    try:
        response = _shaped(request, failure)
    except Exception:
        logger.exception("The error page itself failed")
        plain = f"{failure.status} {failure.code}\n\n{failure.message}\n"
        response = Response(plain, status_code=failure.status, media_type=MediaType.TEXT)
    response.headers.update(failure.headers)
    return response


def _shaped(request: Request[Any, Any, Any], failure: Failure) -> Response[Any]:
    if wants_json(request):
        return _json(failure)
    words = error_words(failure.status, failure.code)
    fields = tuple((str(name), str(sentence)) for name, sentence in dict(failure.details.get("fields", {})).items())
    view = ErrorView(failure.status, failure.code, words.title, failure.message, words.kept, fields, _back(request))
    return _partial(request, view) if wants_partials(request) else _page(request, view)


def _json(failure: Failure) -> Response[Any]:
    error = {"code": failure.code, "message": failure.message, "details": dict(failure.details)}
    return Response({"error": error}, status_code=failure.status, media_type=MediaType.JSON, headers={"vary": "Accept"})


def _partial(request: Request[Any, Any, Any], view: ErrorView) -> Response[str]:
    return partials(request, [Partial("#replies", render("errors/_error.html", error=view), "innerHTML")], view.status)


def _page(request: Request[Any, Any, Any], view: ErrorView) -> Response[str]:
    context = page_context(request)
    return html_response(request, render("errors/page.html", page=context, error=view), context.csrf_token, view.status)


def wants_json(request: Request[Any, Any, Any]) -> bool:
    """Whether a program asked, which reads the error's code and details."""
    accepted = request.headers.get("accept", "")
    return request.url.path.startswith("/api/") or ("application/json" in accepted and "text/html" not in accepted)


def _fields(error: ValidationException) -> dict[str, str]:
    extra = error.extra if isinstance(error.extra, list) else []
    return {str(each.get("key", "")): str(each.get("message", "")) for each in extra if isinstance(each, dict)}


def _sentence(error: HTTPException) -> str:
    if error.status_code == 404:
        return "This address leads nowhere, or what it showed was deleted."
    if error.status_code == 413:
        return "A request may carry 1 MiB at most."
    return error.detail if error.detail.endswith(".") else f"{error.detail}."


def _back(request: Request[Any, Any, Any]) -> str:
    """The page the reader came from, unless it is this one."""
    page = came_from(request)
    return "" if page.partition("?")[0] == request.url.path else page
