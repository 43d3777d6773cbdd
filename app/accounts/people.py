"""The person behind a request. There are no accounts yet: a cookie knows the browser, its person gave the name."""

import getpass
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from msgspec import Struct

from app.events.recording import Actor
from app.ids import create_id, is_id

VISITOR_COOKIE = "agentpane_visitor"
NAME_COOKIE = "agentpane_name"
NAME_LIMIT = 100
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
        return getpass.getuser()
    except (KeyError, OSError):
        return "owner"


async def person_of(request: Request[Any, Any, Any]) -> Person:
    """The person behind `request`; a browser without the cookie gets one with the reply (`remember`)."""
    known = request.cookies.get(VISITOR_COOKIE, "")
    if not is_id(known):
        known = request.state.get("new_visitor") or create_id()
        request.state["new_visitor"] = known
    name = request.cookies.get(NAME_COOKIE, "").strip()[:NAME_LIMIT]
    return Person(known, name or owner_name())


def visitor_cookie(visitor_id: str, secure: bool) -> Cookie:
    """The cookie by which a browser is known again."""
    return Cookie(VISITOR_COOKIE, visitor_id, max_age=_YEAR_S, httponly=True, samesite="lax", secure=secure)


def name_cookie(name: str, secure: bool) -> Cookie:
    """The cookie that remembers the name a person signs decisions with."""
    return Cookie(NAME_COOKIE, name, max_age=_YEAR_S, httponly=True, samesite="lax", secure=secure)
