"""From logged events to what the record shows: messages as HTML, calls with their results, quiet ones left out."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from app.events.reading import LoggedEvent
from app.permissions.queries import permission_views
from app.permissions.views import PermissionView
from app.postgres.reading import rows, scalar
from app.sessions.stream_views import (
    AskedView,
    DecisionView,
    ErrorView,
    EventView,
    MessageView,
    NoticeView,
    StatusView,
    ToolCallView,
)
from app.sessions.tool_views import tool_call
from app.web.hidden import name_hidden, without_ansi
from app.web.markdown import to_html

#: Kinds that stand in the record; the others change places around it.
SHOWN = ("message", "tool_call", "status", "permission", "decision", "error")
#: What the filters of the page show.
FILTERS: dict[str, tuple[str, ...]] = {
    "all": SHOWN,
    "messages": ("message", "decision"),
    "tools": ("tool_call",),
    "errors": ("error",),
}
_LEVELS = ("info", "warning")


async def views(events: list[LoggedEvent], root: str) -> tuple[EventView, ...]:
    """The record's entries for these events; calls carry their results wherever those were logged."""
    results = await _results([event for event in events if event.kind == "tool_call"])
    asked = await asked_in(events)
    shown = (view(event, root, results.get(str(event.payload.get("call"))), asked) for event in events)
    return tuple(each for each in shown if each is not None)


async def asked_in(events: list[LoggedEvent]) -> dict[str, PermissionView]:
    """The questions of which these events tell, as they are now."""
    return await permission_views([str(event.payload["request"]) for event in events if event.kind == "permission"])


def view(
    event: LoggedEvent,
    root: str,
    result: dict[str, Any] | None = None,
    asked: Mapping[str, PermissionView] = MappingProxyType({}),
) -> EventView | None:
    """One entry, or None for what the record does not show."""
    payload = event.payload
    if payload.get("partial") or payload.get("quiet"):
        return None
    who: dict[str, Any] = {
        "number": event.number, "at": event.at, "actor": event.actor, "actor_kind": event.actor_kind,
        "redacted": payload.get("redacted", 0),
    }  # fmt: skip
    match event.kind:
        case "message":
            return message_view(event)
        case "tool_call":
            return call_view(event, result or {}, root)
        case "permission":
            request = asked.get(str(payload.get("request")))
            return AskedView(**who, request=request) if request else None
        case "decision":
            merged = payload.get("decision") == "approved" and payload.get("commit")
            accepted = payload.get("decision") == "approved" and not merged
            return DecisionView(
                **who,
                decision="accepted" if accepted else payload["decision"],
                reason_html=to_html(str(payload.get("text") or ""), breaks=True),
                digest=str(payload.get("digest") or ""),
                merged_as=str(payload.get("commit") or ""),
            )
        case "error":
            return ErrorView(**who, title=_plain(payload.get("text", "")), code=str(payload.get("error_type") or ""))
        case "status" if payload.get("status") in _LEVELS:
            return NoticeView(**who, text=str(payload.get("text", "")), level=payload["status"])
        case "status":
            return StatusView(**who, words=_plain(payload.get("text", "")), run_status=str(payload.get("status", "")))
    return None


def message_view(event: LoggedEvent, text: str | None = None, draft: bool = False) -> MessageView:
    """A message; with `draft`, one that is still being written, as far as `text` has come."""
    written = str(event.payload.get("text", "")) if text is None else text
    return MessageView(
        number=0 if draft else event.number,
        at=event.at,
        actor=event.actor,
        actor_kind=event.actor_kind,  # type: ignore[arg-type]
        message_id=str(event.payload.get("message", event.number)),
        html=to_html(written, breaks=event.actor_kind == "person"),
        draft=draft,
        redacted=event.payload.get("redacted", 0),
    )


def call_view(event: LoggedEvent, result: dict[str, Any], root: str) -> ToolCallView:
    """A tool call, running until it has a result."""
    payload = event.payload
    return tool_call(
        number=event.number,
        at=event.at,
        actor=event.actor,
        call_id=str(payload.get("call", event.number)),
        tool=str(payload.get("tool", "")),
        input=payload.get("input") or {},
        status=str(result.get("status", "running")),
        output=result.get("output"),
        error=result.get("error"),
        duration_ms=result.get("duration"),
        audit_id=str(payload.get("audit", "")),
        root=root,
        redacted=payload.get("redacted", 0) + result.get("redacted", 0),
        emptied=bool(payload.get("emptied")),
    )


async def ended_calls(session_id: str, results: list[LoggedEvent], root: str) -> list[ToolCallView]:
    """The calls that these results end, as they look now."""
    wanted = {str(event.payload.get("call")): event.payload for event in results}
    calls = await rows(
        LoggedEvent,
        "SELECT number, project_id, session_id, kind, subject, actor_kind, actor, payload, at FROM events"
        " WHERE session_id = $1 AND kind = 'tool_call' AND payload ->> 'call' = ANY($2) ORDER BY number",
        session_id,
        list(wanted),
    )
    return [call_view(call, wanted[str(call.payload["call"])], root) for call in calls]


async def drafts(session_id: str, pieces: Iterable[LoggedEvent]) -> tuple[MessageView, ...]:
    """What is being written, each message once and as far as its stored pieces go."""
    newest = {str(piece.payload.get("message")): piece for piece in pieces if piece.payload.get("partial")}
    written = []
    for message_id, piece in newest.items():
        text = await scalar(
            "SELECT string_agg(payload ->> 'text', '' ORDER BY number) FROM events WHERE session_id = $1"
            " AND kind = 'message' AND payload ->> 'message' = $2 AND (payload ->> 'partial')::boolean",
            session_id,
            message_id,
        )
        if text:
            written.append(message_view(piece, text, draft=True))
    return tuple(written)


async def _results(calls: list[LoggedEvent]) -> dict[str, dict[str, Any]]:
    if not calls:
        return {}
    found = await rows(
        LoggedEvent,
        "SELECT number, project_id, session_id, kind, subject, actor_kind, actor, payload, at FROM events"
        " WHERE session_id = $1 AND kind = 'tool_result' AND number > $2 AND payload ->> 'call' = ANY($3)",
        calls[0].session_id,
        calls[0].number,
        [str(call.payload.get("call")) for call in calls],
    )
    return {str(event.payload["call"]): event.payload for event in found}


def _plain(text: object) -> str:
    """Our own words with those of a program in them, which may try to steer a terminal or hide something."""
    return name_hidden(without_ansi(str(text)))
