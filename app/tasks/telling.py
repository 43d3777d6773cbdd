"""What happened to a task, in words for its activity feed."""

from collections.abc import Callable
from typing import Any

from app.events.reading import LoggedEvent
from app.tasks.states import NAMES
from app.tasks.views import FeedItem
from app.web.markdown import to_html


def feed_item(event: LoggedEvent) -> FeedItem | None:
    """The feed's line for an event; None for what only a live card needs to know."""
    tell = _TELL.get(event.kind)
    if tell is None:
        return None
    words = tell(event.payload)
    if not words:
        return None
    return FeedItem(
        actor=event.actor,
        actor_kind=event.actor_kind,  # type: ignore[arg-type]
        words=words,
        at=event.at,
        stage="error" if event.kind in ("task.failed", "worktree.error") else "",
        reference=str(event.payload.get("commit") or event.payload.get("digest") or "").removeprefix("sha256:")[:10],
        quote_html=to_html(str(event.payload.get("text") or ""), breaks=True),
    )


def _moved(payload: dict[str, Any]) -> str:
    causes = {
        "start": "moved this to In progress",
        "complete": "handed in the work for approval",
        "submit": "handed in what was there",
        "cancel": "cancelled this, back to Backlog",
        "reorder": "",
        "approve": "",
        "undo": "",
        "reject": "",
    }
    return causes.get(payload.get("cause") or "", f"moved this to {NAMES.get(payload.get('to', 'backlog'), 'Backlog')}")


def _decided(payload: dict[str, Any]) -> str:
    if payload.get("decision") == "rejected":
        return "requested changes"
    if payload.get("decision") == "conflict":
        return "sent the conflict back"
    if payload.get("decision") == "undone":
        return "undid the merge" if payload.get("commit") else "opened this again"
    return "approved and merged" if payload.get("commit") else "accepted this without a merge"


def _worktree_removed(payload: dict[str, Any]) -> str:
    return "removed the worktree" if payload.get("merged") else f"removed the worktree; {payload.get('branch')} is kept"


_TELL: dict[str, Callable[[dict[str, Any]], str]] = {
    "task.created": lambda _: "opened this",
    "task.moved": _moved,
    "task.checked": lambda payload: f"ran the check {payload.get('check')}: {payload.get('status')}",
    "task.begun": lambda _: "gave this to an agent",
    "task.queued": lambda _: "put this back into the queue",
    "task.failed": lambda _: "saw the run end early",
    "task.edited": lambda _: "edited this",
    "task.decided": _decided,
    "worktree.removed": _worktree_removed,
    "worktree.error": lambda payload: f"found the worktree not as it should be: {payload.get('error')}",
}
