"""Cached HTML is the same for every viewer and every second: what differs is a comment, replaced on the way out.

Autoescape turns `<` from data into `&lt;` and the Markdown sanitiser drops comments, so no data can forge a place.
"""

import re
import secrets
from datetime import UTC, datetime
from functools import lru_cache

from markupsafe import Markup, escape
from msgspec import Struct

from app.clock import now as this_moment
from app.web.formats import ago, clock, elapsed, exact

#: Where a form's hidden CSRF field goes. Templates write it as `{{ csrf_field }}`.
CSRF_FIELD = Markup("<!--csrf-->")
#: Where the time of this very answer goes.
NOW_FIELD = Markup("<!--now-->")
#: Stands for the viewer's bare token in a page that is kept for many viewers. Nobody outside can know it.
TOKEN_PLACE = secrets.token_hex(32)

_PLACES = re.compile(rf"<!--(.*?)-->|({TOKEN_PLACE})", re.DOTALL)
_WORDS = {"ago": ago, "elapsed": elapsed, "clock": clock}


def time_field(kind: str, moment: datetime | None) -> Markup:
    """The place of a `<time>`: `ago` (18 min), `elapsed` (6:12, for what still runs) or `clock` (14:09:40)."""
    return Markup(f"<!--{kind}:{int(moment.timestamp() * 1000)}-->") if moment else Markup("")  # noqa: S704


@lru_cache(maxsize=1_000)
def csrf_input(token: str) -> str:
    """The hidden field that a plain form needs."""
    return f'<input type="hidden" name="_csrf_token" value="{escape(token)}">' if token else ""


def finish(html: str, csrf_input: str, now: datetime | None = None) -> str:
    """`html` with each left-open place filled: the viewer's hidden CSRF field, and times as they read now."""
    moment = now or this_moment()
    first, *rest = html.split("<!--")
    finished = [first]
    for part in rest:
        place, _, after = part.partition("-->")
        finished += (csrf_input if place == "csrf" else _told(place, moment), after)
    return "".join(finished)


class _When(Struct, frozen=True):
    """The place of a time, with what of it never changes."""

    kind: str
    then: datetime
    opening: str

    def told(self, now: datetime) -> bytes:
        return f"{self.opening}{_WORDS[self.kind](self.then, now)}</time>".encode()


class Cut(Struct, frozen=True):
    """HTML cut at its open places once, to be filled for many viewers: `texts` has one more than `places`."""

    texts: tuple[bytes, ...]
    places: tuple[str | _When, ...]

    def filled(self, token: str, now: datetime | None = None) -> bytes:
        """What `finish` makes of the same HTML, encoded."""
        moment = now or this_moment()
        of_viewer = {"csrf": csrf_input(token).encode(), TOKEN_PLACE: token.encode()}
        pieces = [self.texts[0]]
        for place, text in zip(self.places, self.texts[1:], strict=True):
            if isinstance(place, _When):
                told = place.told(moment)
            else:
                told = of_viewer.get(place) or _told(place, moment).encode()
            pieces += (told, text)
        return b"".join(pieces)


def cut(html: str) -> Cut:
    """`html` in pieces."""
    parts = _PLACES.split(html)
    places = (token or _place(comment) for comment, token in zip(parts[1::3], parts[2::3], strict=True))
    return Cut(tuple(text.encode() for text in parts[::3]), tuple(places))


def _place(comment: str) -> str | _When:
    kind, _, milliseconds = comment.partition(":")
    if kind not in _WORDS:
        return comment
    then = _moment(milliseconds)
    return _When(kind, then, _opening(kind, then))


def _told(place: str, now: datetime) -> str:
    """The time that belongs in `place`; any other comment is left out."""
    kind, _, milliseconds = place.partition(":")
    if kind == "now":
        return _time("clock", now, now)
    return _time(kind, _moment(milliseconds), now) if kind in _WORDS else ""


@lru_cache(maxsize=10_000)
def _moment(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _time(kind: str, then: datetime, now: datetime) -> str:
    return f"{_opening(kind, then)}{_WORDS[kind](then, now)}</time>"


@lru_cache(maxsize=10_000)
def _opening(kind: str, then: datetime) -> str:
    """The part of a time that stays: zones and dates cost more than all the rest of a page."""
    stamp = then.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'<time datetime="{stamp}" data-{kind} title="{escape(exact(then))}">'
