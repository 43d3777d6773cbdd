"""The places of an open session page that change by themselves, as partials for replies and for the stream."""

from collections.abc import Iterable

from app.sessions.stream_views import EventView, MessageView, SessionHead, SessionPage, ToolCallView, WatcherView
from app.web.replies import Partial
from app.web.templates import dom_id, render


def event_appended(event: EventView) -> list[Partial]:
    """One more entry of the record. A message also ends what was being written."""
    ended = [Partial("#drafts", "", "innerHTML")] if isinstance(event, MessageView) else []
    return [*ended, Partial("#events", render("sessions/_event.html", event=event), "beforeend")]


def call_changed(call: ToolCallView) -> Partial:
    """A tool call that ended, in the place where it began; nothing happens on a page that does not show it."""
    return Partial(f"#{dom_id('tool', call.call_id)}", render("sessions/_tool.html", event=call))


def draft_changed(draft: MessageView) -> Partial:
    """A message that is still being written, as far as it has come."""
    return Partial("#drafts", render("sessions/_event.html", event=draft), "innerHTML")


def head_changed(head: SessionHead) -> list[Partial]:
    """State, turn and what can be done: changes when a run begins, advances or ends."""
    return [
        Partial("#session-head", render("sessions/_head.html", head=head)),
        Partial("#session-run", render("sessions/_run.html", run=head.run)),
    ]


def watchers_changed(watching: Iterable[WatcherView]) -> Partial:
    """Who looks at the session, after somebody came or went. `you` is unknown here, as the frame goes to everyone."""
    return Partial("#presence", render("sessions/_presence.html", watching=tuple(watching)))


def composer_changed(session: SessionPage) -> Partial:
    """Composer and queue: the answer to a message sent or taken back, and the news of it, and of a run, to others."""
    return Partial("#composer", render("sessions/_composer.html", session=session))
