"""How stored states look: each becomes a stage, which has a silhouette and an ink, and a word."""

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
#: The runners that can stand behind an agent.
runner_names = {"claude": "Claude Agent SDK", "acp": "ACP agent", "command": "Command line"}
agent_types = (
    ("task", "Task: one task at a time"),
    ("conversational", "Conversational: a chat"),
    ("background", "Background: until stopped"),
)
#: `tool_status` as the audit log words it.
audit_outcomes = {"pending": "pending", "running": "running", "complete": "ok", "error": "failed"}
#: How a row of the audit log came out, with its icon.
audit_icons = {
    "ok": "check", "failed": "x", "refused": "lock", "running": "running", "pending": "clock",
    "approved": "done", "rejected": "undo", "sent back": "undo", "undone": "undo", "merged": "merge",
    "asked": "needs_you", "allowed": "check", "denied": "lock", "emptied": "trash",
}  # fmt: skip

_AGENTS = {
    "idle": ("idle", "Idle"),
    "starting": ("starting", "Starting"),
    "running": ("running", "Running"),
    "paused": ("paused", "Paused"),
    "error": ("error", "Error"),
    "completed": ("done", "Completed"),
}
_ASKS = ("needs_you", "Needs you")
_WORKTREES = {
    "creating": ("starting", "Creating"),
    "active": ("done", "Active"),
    "merging": ("starting", "Merging"),
    "removing": ("starting", "Removing"),
    "removed": ("idle", "Removed"),
    "error": ("error", "Error"),
}
_AUDIT = {"ok": "done", "failed": "error", "running": "running", "pending": "queued"}
#: Ends that are nobody's failure: a person's wish, a limit that was set, a server that was stopped.
_ENDS = {"stopped": "idle", "interrupted": "idle", "turn_limit": "review", "budget": "review"}


def agent_state(status: str, asks: bool = False) -> tuple[str, str]:
    """Stage and word of an `agent_status`; `asks`: it asks a person, and nobody has answered."""
    return _ASKS if asks else _AGENTS[status]


def run_state(status: str, error_type: str, asks: bool = False) -> tuple[str, str]:
    """Stage and word of a run: how it goes, or for which one reason it ended."""
    if asks:
        return _ASKS
    if error_type:
        return _ENDS.get(error_type, "error"), error_type
    return _AGENTS[status]


def worktree_state(status: str) -> tuple[str, str]:
    """Stage and word of a `worktree_status`."""
    return _WORKTREES[status]


def audit_state(status: str, refused: bool) -> tuple[str, str]:
    """Stage and word of one tool call."""
    if refused:
        return "needs_you", "refused"
    outcome = audit_outcomes[status]
    return _AUDIT[outcome], outcome


def sandbox_modes(server: str) -> tuple[tuple[str, str], ...]:
    """The choices of a project's sandbox; the first one is what the server was started with."""
    return (
        ("", f"As the server says: {_SANDBOX_MODES[server].lower()}"),
        *_SANDBOX_MODES.items(),
    )


_SANDBOX_MODES = {
    "auto": "Where it can be had, with a warning where not",
    "required": "Required: without it nothing starts",
    "off": "Off",
}
