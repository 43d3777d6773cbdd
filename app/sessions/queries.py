"""What the session page shows: its head, a page of its record, and what stands at the side."""

from collections.abc import Mapping

import msgspec

from app.accounts.people import Person
from app.agents.rows import LIVE
from app.postgres.reading import scalar
from app.sessions import record
from app.sessions.facts import Facts, facts_of
from app.sessions.heading import head_of
from app.sessions.opening import live_run
from app.sessions.queueing import listens
from app.sessions.record import Show
from app.sessions.rows import SessionRow, queued_messages
from app.sessions.showing import drafts, views
from app.sessions.stream_views import FilterView, QueuedView, SessionPage, SessionTask, StandaloneView, WatcherView
from app.tasks.views import PageNotice
from app.web.forms import Entered


async def session_page(
    session: SessionRow,
    person: Person,
    *,
    show: Show = "all",
    before: int | None = None,
    after: int | None = None,
    composer: Entered | None = None,
    hand_in: Entered | None = None,
    queue: Mapping[str, Entered] | None = None,
    notices: tuple[PageNotice, ...] = (),
) -> SessionPage:
    """The page as it is now, with the newest events, or those before or after a number.

    `composer`, `hand_in` and `queue` (by message) are forms that came back, `notices` say why.
    """
    facts = await facts_of(session)
    events = await record.shown(session.id, show, before, after)
    first, last = (events[0].number, events[-1].number) if events else (0, 0)
    newest = before is None and after is None
    page = await composer_of(session, facts, queue or {})
    return msgspec.structs.replace(
        page,
        task=_task(facts),
        standalone=_standalone(session, facts, hand_in or Entered()),
        notices=notices,
        events=await views(events, facts.root or ""),
        drafts=await drafts(session.id, await record.open_pieces(session.id)) if newest else (),
        earlier=await record.count(session.id, show, 0, first) if events else 0,
        later=0 if newest else await record.count(session.id, show, last + 1, None),
        filters=await _filters(session, show),
        watching=watchers(session, person),
        composer=composer or Entered(),
    )


async def composer_of(session: SessionRow, facts: Facts, forms: Mapping[str, Entered] | None = None) -> SessionPage:
    """As much of the page as the composer shows: the queue, and whether a message can be sent.

    `forms` are those of waiting messages that came back.
    """
    waiting = await queued_messages(session.id)
    run = await live_run(session.id) if waiting else None
    return SessionPage(
        head=head_of(session, facts),
        closed=_closed(session, facts),
        queue=tuple(
            QueuedView(
                each.id,
                each.author,
                each.text,
                each.is_urgent and run is not None,
                (forms or {}).get(each.id, Entered()),
            )
            for each in waiting
        ),
        can_send_now=bool(waiting) and (run is None or listens(run)),
    )


def watchers(session: SessionRow, person: Person | None = None) -> tuple[WatcherView, ...]:
    """Who looks at the session now, the one who asks first."""
    me = person.id if person else ""
    present = sorted(session.active_users, key=lambda each: (each.user_id != me, each.joined_at))
    return tuple(WatcherView(each.name or "Somebody", each.user_id == me) for each in present)


def _standalone(session: SessionRow, facts: Facts, form: Entered) -> StandaloneView | None:
    if not facts.is_standalone:
        return None
    rests = session.is_active and not facts.waits and not (facts.is_here and facts.agent_status in LIVE)
    return StandaloneView(
        kind=facts.agent_type or "conversational",
        branch=facts.branch or "",
        base_branch=facts.base_branch or "",
        files_changed=facts.files_changed,
        lines_added=facts.lines_added or 0,
        lines_removed=facts.lines_removed or 0,
        can_hand_in=rests and bool(facts.files_changed),
        can_close=session.is_active and not (facts.is_here and facts.agent_status in LIVE),
        form=form,
    )


def _task(facts: Facts) -> SessionTask | None:
    if facts.task_id is None or facts.column is None:
        return None
    return SessionTask(
        id=facts.task_id,
        title=facts.task_title or "",
        column=facts.column,
        rejection_count=facts.rejection_count or 0,
        branch=facts.branch or "",
        base_branch=facts.base_branch or "",
        files_changed=facts.files_changed,
        lines_added=facts.lines_added or 0,
        lines_removed=facts.lines_removed or 0,
    )


def _closed(session: SessionRow, facts: Facts) -> str:
    if not session.is_active or (facts.task_id is None and not facts.is_standalone):
        return "This session is closed. Its record stays."
    if facts.is_standalone:
        return ""
    if facts.column == "waiting_approval":
        return "This work waits for a decision: request changes on its review page, and the agent goes on with them."
    if facts.column != "in_progress":
        return "No agent works on this task, so nobody would read a message."
    return ""


async def _filters(session: SessionRow, show: Show) -> tuple[FilterView, ...]:
    errors = await scalar("SELECT count(*) FROM events WHERE session_id = $1 AND kind = 'error'", session.id)
    counts: dict[str, int | None] = {
        "all": None, "messages": session.message_count, "tools": session.tool_call_count, "errors": errors,
    }  # fmt: skip
    return tuple(
        FilterView(
            name=name.capitalize(),
            href=f"/sessions/{session.id}" + (f"?show={name}" if name != "all" else ""),
            count=count,
            current=name == show,
        )
        for name, count in counts.items()
    )
