"""What can go wrong with PostgreSQL, and how to see that it is only away for a while."""

import socket

import asyncpg
from asyncpg.exceptions import InterfaceError, InternalClientError
from asyncpg.exceptions import PostgresError as ServerError

from app.errors import Unavailable


class PostgresError(Exception):
    """The database cannot be used as it is; the message is one sentence that says why and what helps."""


#: Everything that asyncpg and the network raise when a connection or a query fails.
ERRORS = (ServerError, InterfaceError, InternalClientError, OSError, TimeoutError)

#: What they raise while the server is gone, starting or stopping. Not every OSError: files raise those too.
_AWAY = (
    ConnectionError,
    socket.gaierror,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)


def is_away(error: BaseException) -> bool:
    """Whether `error` means that the database is away for now, so that asking again later helps."""
    if isinstance(error, asyncpg.QueryCanceledError):
        return False
    if isinstance(error, InternalClientError):  # once per pooled connection after a restart; then the pool heals
        return "cannot switch to state" in str(error)
    if isinstance(error, InterfaceError):
        return any(words in str(error) for words in ("connection is closed", "pool is clos", "connection was closed"))
    return isinstance(error, _AWAY)


def unavailable() -> Unavailable:
    """The answer to give while the database is away."""
    return Unavailable("The database is away for a moment. Nothing is lost; try again.")
