"""What git's kinds of conflicts mean, for pages, prompts and programs."""

from app.git.diffs import printable
from app.git.trial_merges import Conflict

#: What git's kinds of conflicts mean.
_MEANING = {
    "contents": "both sides changed the same lines",
    "add/add": "both sides added it, with different contents",
    "modify/delete": "one side changed it, the other deleted it",
    "rename/delete": "one side renamed it, the other deleted it",
    "rename/rename": "both sides renamed it, to different names",
    "file/directory": "a file on one side, a folder on the other",
    "binary": "a binary file that both sides changed; choose one side or make it anew",
    "submodule": "both sides moved the submodule",
}


def described(conflicts: tuple[Conflict, ...]) -> list[dict[str, str]]:
    """The conflicts as JSON has them: each file once, with the kind that git calls it."""
    kinds: dict[str, str] = {}
    for conflict in conflicts:
        kinds.setdefault(printable(conflict.path), conflict.kind)
    return [{"path": path, "kind": kind} for path, kind in sorted(kinds.items())]


def meaning(kind: str) -> str:
    """A kind in words; as git names it where we know no better."""
    return _MEANING.get(kind, kind)
