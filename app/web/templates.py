"""The one Jinja environment. A template that names what is not there fails at once, and all data is escaped."""

from functools import cache, partial

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.resources import resource_path
from app.web import formats
from app.web.assets import assets
from app.web.fragments import CSRF_FIELD, NOW_FIELD, time_field

#: The columns of every board, in order, with their names.
COLUMNS = (
    ("backlog", "Backlog"),
    ("in_progress", "In progress"),
    ("waiting_approval", "Waiting approval"),
    ("verified", "Verified"),
)
#: Stages with the word that stands beside their silhouette.
STAGES = {
    "queued": "Queued",
    "starting": "Starting",
    "running": "Running",
    "needs_you": "Needs you",
    "paused": "Paused",
    "error": "Error",
    "review": "In review",
    "done": "Done",
    "idle": "Idle",
}


def render(template: str, **view: object) -> str:
    """The HTML of one template, its viewer's places still open: see `app.web.fragments.finish`."""
    return environment().get_template(template).render(**view)


@cache
def environment() -> Environment:
    """The environment of this installation's templates."""
    env = Environment(
        loader=FileSystemLoader(resource_path("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    env.globals |= {
        "asset": assets().url,
        "columns": COLUMNS,
        "csrf_field": CSRF_FIELD,
        "dom_id": dom_id,
        "icon": icon,
        "now_field": NOW_FIELD,
        "stages": STAGES,
        "vendor": "vendor/htmx-4.0.1",
    }
    env.filters |= {name: getattr(formats, name) for name in _TEXT_FILTERS}
    env.filters |= {kind: partial(time_field, kind) for kind in ("ago", "elapsed", "clock")}
    return env


_TEXT_FILTERS = ("initials", "number", "plural", "short_id", "short_number", "size", "tint", "took")


def dom_id(kind: str, id: str) -> str:
    """The id of the one element that shows a thing: `task-k7f2q9…`; partials replace by it."""
    return f"{kind}-{id}"


@cache
def icon(name: str, cls: str = "") -> Markup:
    """A glyph of `static/icons.svg`; decoration only, so a word or a label must stand beside it."""
    classes = f"icon {cls}" if cls else "icon"
    sprite = assets().url("icons.svg")
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>').format(classes, sprite, name)
