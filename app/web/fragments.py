"""Cached HTML is the same for every viewer and every second: what differs is a comment, replaced on the way out.

Autoescape turns `<` from data into `&lt;` and the Markdown sanitiser drops comments, so no data can forge a place.
"""

import re
from datetime import UTC, datetime

from markupsafe import Markup, escape

from app.web.formats import ago, clock, elapsed, exact

#: Where a form's hidden CSRF field goes. Templates write it as `{{ csrf_field }}`.
CSRF_FIELD = Markup("<!--csrf-->")
#: Where the time of this very answer goes.
NOW_FIELD = Markup("<!--now-->")

_TIME = re.compile(r"<!--(now|ago|elapsed|clock)(?::(-?\d+))?-->")
_WORDS = {"ago": ago, "elapsed": elapsed, "clock": clock}


def time_field(kind: str, moment: datetime | None) -> Markup:
    """The place of a `<time>`: `ago` (18 min), `elapsed` (6:12, for what still runs) or `clock` (14:09:40)."""
    return Markup(f"<!--{kind}:{int(moment.timestamp() * 1000)}-->") if moment else Markup("")  # noqa: S704


def csrf_input(token: str) -> str:
    """The hidden field that a plain form needs."""
    return str(Markup('<input type="hidden" name="_csrf_token" value="{}">').format(token)) if token else ""


def finish(html: str, csrf_input: str, now: datetime | None = None) -> str:
    """`html` with each left-open place filled: the viewer's hidden CSRF field, and times as they read now."""
    moment = now or datetime.now(UTC)

    def tell(place: re.Match[str]) -> str:
        kind, milliseconds = place.groups()
        if milliseconds is None:
            return _time("clock", moment, moment)
        return _time(kind, datetime.fromtimestamp(int(milliseconds) / 1000, UTC), moment)

    return _TIME.sub(tell, html.replace(str(CSRF_FIELD), csrf_input))


def _time(kind: str, then: datetime, now: datetime) -> str:
    stamp = then.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'<time datetime="{stamp}" data-{kind} title="{escape(exact(then))}">{_WORDS[kind](then, now)}</time>'
