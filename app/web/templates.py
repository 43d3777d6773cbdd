"""The one Jinja environment. A template that names what is not there fails at once, and all data is escaped."""

from functools import cache, partial
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.resources import resource_path
from app.web import formats, states
from app.web.assets import assets
from app.web.fragments import CSRF_FIELD, NOW_FIELD, time_field

#: The columns of every board, in order, with their names.
COLUMNS = (
    ("backlog", "Backlog"),
    ("in_progress", "In progress"),
    ("waiting_approval", "Waiting approval"),
    ("verified", "Verified"),
)
#: What an empty column says.
EMPTY_COLUMNS = {
    "backlog": "No tasks yet. Write the first card. Moved to In progress, it gets a worktree, a branch and an agent.",
    "in_progress": "No agent is at work. Start a task from the backlog.",
    "waiting_approval": "Nothing waits for approval. When an agent stops, its diff comes here.",
    "verified": "Nothing is merged yet. Approved work ends here.",
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
        "empty_columns": EMPTY_COLUMNS,
        "filter_query": filter_query,
        "icon": icon,
        "now_field": NOW_FIELD,
        "stages": states.STAGES,
        "vendor": "vendor/htmx-4.0.1",
    }
    env.globals |= {name: getattr(states, name) for name in _STATE_NAMES}
    env.filters |= {name: getattr(formats, name) for name in _TEXT_FILTERS}
    env.filters |= {kind: partial(time_field, kind) for kind in ("ago", "elapsed", "clock")}
    return env


_TEXT_FILTERS = (
    "day", "initials", "number", "ordinal", "plural", "short_id", "short_number", "size", "spaced", "times", "tint",
    "took",
)  # fmt: skip


_STATE_NAMES = (
    "agent_state",
    "agent_types",
    "audit_icons",
    "audit_state",
    "run_state",
    "runner_names",
    "sandbox_modes",
    "worktree_state",
)


def filter_query(**terms: str) -> str:
    """The query string of a filter: only what is chosen."""
    return urlencode({name: value for name, value in terms.items() if value})


def dom_id(kind: str, id: str) -> str:
    """The id of the one element that shows a thing: `task-k7f2q9…`; partials replace by it."""
    return f"{kind}-{id}"


@cache
def icon(name: str, cls: str = "") -> Markup:
    """A glyph of `static/icons.svg`; decoration only, so a word or a label must stand beside it."""
    classes = f"icon {cls}" if cls else "icon"
    sprite = assets().url("icons.svg")
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>').format(classes, sprite, name)
