"""What every answer says to the browser about itself, and which names this server answers to."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from litestar.datastructures import MutableScopeHeaders
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest

#: Nothing from elsewhere, nothing inline, no frames around us, no forms to elsewhere.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'none'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


async def add_security_headers(message: Message, scope: Scope) -> None:
    """A `before_send` hook: the headers of every answer, of errors and static files too."""
    if message["type"] == "http.response.start":
        message.setdefault("headers", [])
        headers = MutableScopeHeaders.from_message(message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)


class AllowedHosts(ASGIMiddleware):
    """Refuses a request that calls us by a name that is not ours.

    Another site can make its own name point at this machine (DNS rebinding) and so read our pages in a visitor's
    browser; it cannot make the browser send our name. An address in figures cannot be rebound, so it is always ours.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(name.lower() for name in names)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["type"] != "lifespan" and not self.is_ours(_host(scope)):
            raise BadRequest(
                f"This server does not answer to the name '{_host(scope)[:100]}'. Open it by a name that it knows, "
                "or add this one to AGENTPANE_ALLOWED_HOSTS and start it again.",
                "UNKNOWN_HOST",
            )
        await next_app(scope, receive, send)

    def is_ours(self, name: str) -> bool:
        """Whether `name` (without its port) is a loopback name, an address in figures, or one of the configured."""
        return name == "localhost" or name.endswith(".localhost") or name in self.names or _is_address(name)


def own_names(host: str, base_url: str, allowed_hosts: Iterable[str]) -> frozenset[str]:
    """The names besides loopback that this server answers to, from its settings."""
    return frozenset(name.lower() for name in (host, urlsplit(base_url).hostname or "", *allowed_hosts) if name)


def _host(scope: Scope) -> str:
    """The host of the Host header in lower case, without port and brackets; empty when it cannot be read."""
    raw = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    try:
        return (urlsplit(f"//{raw}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
