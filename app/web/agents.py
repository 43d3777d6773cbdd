"""Agents of this server are no visitors of it: they share its network, and must not decide on their own work.

Everything that changes something is refused when it comes from a process that we started. The server tells, since only
it sees the connection itself (`app/cli/server.py`); reading is not refused.
"""

import asyncio
import ipaddress
from typing import Any

from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.errors import Forbidden
from app.processes.peers import is_our_own

_READS = ("GET", "HEAD", "OPTIONS")
_KEY = "from_an_agent"


class PeerMarking:
    """Around the application, for one connection: notes on a request whether an agent sends it.

    Who is at the other end is looked up once, when the connection is first used to change something: it takes longer
    than the change.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._is_from_an_agent: bool | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] not in _READS:
            if self._is_from_an_agent is None:
                self._is_from_an_agent = await _is_from_an_agent(scope.get("client"), scope["server"])
            scope[_KEY] = self._is_from_an_agent
        await self._app(scope, receive, send)


class NoAgents(ASGIMiddleware):
    """Refuses what an agent wants to change."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope.get(_KEY):
            raise Forbidden("Agents cannot decide or change anything here; a person does that in a browser.")
        await next_app(scope, receive, send)


async def _is_from_an_agent(client: tuple[str, int] | None, server: tuple[str, int]) -> bool:
    """Who had gone before we could see the address did not wait for an answer: no browser does that."""
    if client is None:
        return True
    return _is_here(client[0]) and await asyncio.to_thread(is_our_own, client[1], server[1])


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
