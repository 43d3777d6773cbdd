"""The person behind a request. There are no accounts yet: a cookie knows the browser, its person gave the name."""

import getpass
from typing import Any
from urllib.parse import quote, unquote

from litestar import Request
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.types import Message, Scope
from msgspec import Struct

from app.events.recording import Actor
from app.ids import create_id, is_id

VISITOR_COOKIE = "agentpane_visitor"
NAME_COOKIE = "agentpane_name"
NAME_LIMIT = 100
_NEW_VISITOR = "agentpane_new_visitor"
_YEAR_S = 365 * 24 * 3600


class Person(Struct, frozen=True):
    """Who acts. `id` is the same in every tab of one browser."""

    id: str
    name: str

    @property
    def actor(self) -> Actor:
        """This person as the author of events."""
        return Actor("person", self.name)

    @property
    def initials(self) -> str:
        """Up to two letters for an avatar."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


def owner_name() -> str:
    """What to call the person at this machine before they say otherwise."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return "owner"
    return "owner" if name == "root" else name


async def person_of(request: Request[Any, Any, Any]) -> Person:
    """The person behind `request`; a browser without the cookie gets one with the reply (`remember_visitor`)."""
    known = request.cookies.get(VISITOR_COOKIE, "")
    if not is_id(known):
        known = request.scope["state"].setdefault(_NEW_VISITOR, create_id())
    name = unquote(request.cookies.get(NAME_COOKIE, "")).strip()[:NAME_LIMIT]
    return Person(known, name or owner_name())


async def remember_visitor(message: Message, scope: Scope) -> None:
    """A `before_send` hook: a browser that was not known gets the cookie by which it is known again."""
    visitor = scope.get("state", {}).get(_NEW_VISITOR)
    if visitor and message["type"] == "http.response.start":
        cookie = Cookie(VISITOR_COOKIE, value=visitor, max_age=_YEAR_S, httponly=True, samesite="lax")
        MutableScopeHeaders.from_message(message).add("set-cookie", cookie.to_header(header=""))


def name_cookie(name: str) -> Cookie:
    """The cookie that remembers the name a person signs decisions with."""
    return Cookie(NAME_COOKIE, value=quote(name), max_age=_YEAR_S, httponly=True, samesite="lax")
