"""The one place where an error becomes an answer: a page for people, a partial for htmx, JSON for programs."""

import logging
from collections.abc import Mapping
from typing import Any

import asyncpg
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException, PermissionDeniedException, ValidationException
from msgspec import Struct

from app.errors import DomainError
from app.ids import create_id
from app.web.context import page_context
from app.web.error_words import error_words
from app.web.referrer import came_from
from app.web.replies import Partial, html_response, partials, wants_partials
from app.web.templates import render

logger = logging.getLogger("agentpane.errors")

_DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    ConnectionRefusedError,
)
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


def exception_handlers() -> Mapping[Any, Any]:
    """For `Litestar(exception_handlers=…)`: application level, because misses of routes skip all others."""
    return {DomainError: _refused, HTTPException: _http_error, Exception: _unexpected}


def _refused(request: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    if error.status >= 500:
        logger.error("%s: %s", error.code, error.message, exc_info=error)
    return answer(request, error.status, error.code, error.message, error.details)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Litestar's own: misses, wrong methods, large bodies, refused tokens."""
    status = error.status_code
    if status == 500:
        return _unexpected(request, error)
    if isinstance(error, PermissionDeniedException) and "CSRF" in error.detail:
        return answer(request, 403, "CSRF", "The form's token is missing, or belongs to another visit.")
    details = {"fields": _fields(error)} if isinstance(error, ValidationException) else {}
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() in ("allow", "retry-after")}
    return answer(request, status, _CODES.get(status, "BAD_REQUEST"), _sentence(error), details, headers)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our fault, or the database's absence. The id leads from the page to the log, which alone has the details."""
    if isinstance(error, _DATABASE_AWAY):
        logger.warning("The database is away: %s: %s", type(error).__name__, error)
        return answer(request, 503, "UNAVAILABLE", "The database cannot be reached.", headers={"retry-after": "5"})
    id = create_id()[:10]
    logger.error("Error %s at %s %s", id, request.method, request.url.path, exc_info=error)
    message = f"The log has the details under the id {id}."
    return answer(request, 500, "INTERNAL", message, {"id": id})


def answer(
    request: Request[Any, Any, Any],
    status: int,
    code: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """The error in the shape that was asked for."""
    response = _shaped(request, status, code, message, details or {})
    response.headers.update(headers or {})
    return response


def _shaped(
    request: Request[Any, Any, Any], status: int, code: str, message: str, details: Mapping[str, Any]
) -> Response[Any]:
    if _wants_json(request):
        error = {"code": code, "message": message, "details": dict(details)}
        return Response({"error": error}, status_code=status, media_type=MediaType.JSON, headers={"vary": "Accept"})
    words = error_words(status, code)
    fields = tuple((str(name), str(sentence)) for name, sentence in dict(details.get("fields", {})).items())
    view = ErrorView(status, code, words.title, message, words.kept, fields, _back(request))
    try:
        return _partial(request, view) if wants_partials(request) else _page(request, view)
    except Exception:
        logger.exception("The error page itself failed")
        return Response(f"{status} {code}\n\n{words.title}. {message}\n", status_code=status, media_type=MediaType.TEXT)


def _partial(request: Request[Any, Any, Any], view: ErrorView) -> Response[str]:
    return partials(request, [Partial("#replies", render("errors/_error.html", error=view), "innerHTML")], view.status)


def _page(request: Request[Any, Any, Any], view: ErrorView) -> Response[str]:
    context = page_context(request)
    return html_response(request, render("errors/page.html", page=context, error=view), context.csrf_token, view.status)


def _wants_json(request: Request[Any, Any, Any]) -> bool:
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
