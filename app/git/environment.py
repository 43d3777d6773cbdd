"""The environment and switches of every git call, so that neither the server's own environment nor a
repository's configuration decides what our git does."""

import os
from collections.abc import Mapping
from pathlib import Path

#: Chosen by the operator, like HOME; every other GIT_* variable is dropped. A server started from a git hook or
#: an editor inherits GIT_DIR and GIT_INDEX_FILE, and would work on the wrong repository.
_KEPT = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"})

_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_EDITOR": "false",
    "GIT_SEQUENCE_EDITOR": "false",
    "GIT_PAGER": "cat",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_MERGE_AUTOEDIT": "no",
    # Replaced objects and grafts would let a repository show something else than what is merged.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null/none",
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "C",
}

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "commit.gpgsign=false",
    "log.showSignature=false",
    "core.quotePath=false",
    "protocol.ext.allow=never",
    "diff.suppressBlankEmpty=false",
)

FLAGS = ("--no-pager", *(part for setting in _SETTINGS for part in ("-c", setting)))


def environment(extra: Mapping[str, str] | None = None, index: Path | None = None) -> dict[str, str]:
    """The server's environment without anything that steers git, with our fixed values and `extra`."""
    kept = {name: value for name, value in os.environ.items() if _is_kept(name)}
    chosen = {"GIT_INDEX_FILE": str(index)} if index is not None else {}
    return {**kept, **_FIXED, **chosen, **(extra or {})}


def _is_kept(name: str) -> bool:
    return name in _KEPT or not name.startswith(("GIT_", "SSH_ASKPASS"))
