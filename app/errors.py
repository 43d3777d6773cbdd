"""What can go wrong, as the public contract names it: each error carries its status, its code and one clear sentence.

Verbs raise these; `app.web.errors` is the one place that turns them into a page, a partial or JSON.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal with a sentence for the person who asked.

    `code` is one of the codes in `docs/contract.md`; `details` are facts that a page or a script may use,
    never secrets and never a stack trace.
    """

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.details = details


class BadRequest(DomainError):
    """The request cannot be parsed."""

    status = 400
    default_code = "BAD_REQUEST"


class InvalidId(BadRequest):
    """An id that no row can have."""

    default_code = "INVALID_ID"


class Forbidden(DomainError):
    """Known, and not allowed."""

    status = 403
    default_code = "FORBIDDEN"


class NotFound(DomainError):
    """No such thing, or not yours. Raise it with the code of the thing: `TASK_NOT_FOUND`."""

    status = 404
    default_code = "NOT_FOUND"


class Conflict(DomainError):
    """The state does not allow it; the message says what is possible instead."""

    status = 409
    default_code = "CONFLICT"


class Invalid(DomainError):
    """Fields are wrong. `fields` maps a form field's name to the sentence that stands beside it."""

    status = 422
    default_code = "VALIDATION_ERROR"

    def __init__(self, fields: Mapping[str, str], message: str | None = None) -> None:
        super().__init__(message or next(iter(fields.values())), fields=dict(fields))
        self.fields = dict(fields)


class Unavailable(DomainError):
    """Something we need is away for now: nothing is lost, and asking again helps."""

    status = 503
    default_code = "UNAVAILABLE"
