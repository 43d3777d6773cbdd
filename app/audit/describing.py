"""An entry of the chain that is no tool call, as a row of the audit log says it."""

from typing import Any

from app.audit.views import AuditRow
from app.web.hidden import name_hidden

_WHAT = {
    "begin": "Chain begun", "question": "Question", "answer": "Answer", "decision": "Decision", "merge": "Merge",
    "undo": "Undo", "retention": "Retention", "tool_call": "Tool call", "tool_result": "Result",
    "tool_refused": "Refusal", "warning": "Budget",
}  # fmt: skip
_ANSWERS = {
    "allowed": "allowed once", "allowed_for_task": "allowed for the task", "denied": "denied",
    "withdrawn": "taken back", "raised": "limit raised", "once": "gone on once", "ended": "stopped",
    "near": "near a limit", "passed": "limit passed", "stopped": "limit reached",
}  # fmt: skip
_DECISIONS = {"approved": "approved", "rejected": "rejected", "conflict": "sent back", "undone": "undone"}


def describe(
    project_id: str, number: int, kind: str, subject: str, actor: str, at: Any, content: dict[str, Any]
) -> AuditRow:
    """The row of an entry."""
    return AuditRow(
        id=str(number),
        href=f"/projects/{project_id}/audit/entries/{number}",
        timestamp=at,
        kind=kind,
        who=name_hidden(actor),
        what=_WHAT.get(kind, kind),
        argument=name_hidden(" ".join(_argument(kind, content).split()))[:300],
        task_id=subject if kind == "decision" else str(content.get("task_id") or content.get("task") or ""),
        task_title=name_hidden(str(content.get("title") or "")),
        outcome=_outcome(kind, content),
    )


def _argument(kind: str, content: dict[str, Any]) -> str:
    match kind:
        case "decision":
            return str(content.get("reason") or content.get("digest") or "")
        case "merge" | "undo":
            old, new = str(content.get("old_oid", ""))[:10], str(content.get("new_oid", ""))[:10]
            return f"{content.get('base_branch', '')} {old} → {new}"
        case "question" | "warning":
            return str(content.get("input", ""))
        case "answer":
            return " · ".join(filter(None, [str(content.get("input") or ""), str(content.get("note") or "")]))
        case "retention":
            return f"{content.get('calls', 0)} calls before {content.get('before', '')}"
        case _:
            return ""


def _outcome(kind: str, content: dict[str, Any]) -> str:
    match kind:
        case "decision":
            return _DECISIONS.get(str(content.get("decision")), str(content.get("decision", "")))
        case "answer" | "warning":
            return _ANSWERS.get(str(content.get("decision")), "answered")
        case _:
            return {"merge": "merged", "undo": "undone", "question": "asked", "retention": "emptied"}.get(kind, "ok")
