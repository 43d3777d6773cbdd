"""The environment and switches of every git call, so that neither the server's own environment nor a
repository's configuration decides what our git does."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

#: All that git gets of the server's environment. Filters and merge drivers that a repository configures run inside
#: git, so they see it: no secret of the server may be in it. Of git's own variables only the operator's choice of
#: configuration is kept, like HOME: a server started from a hook or an editor inherits GIT_DIR and GIT_INDEX_FILE,
#: and would work on the wrong repository.
_KEPT = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "XDG_CONFIG_HOME", "LD_LIBRARY_PATH",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
)  # fmt: skip

#: What a signing key may need on top.
_SIGNING = ("SSH_AUTH_SOCK", "GNUPGHOME", "GPG_TTY", "XDG_RUNTIME_DIR")

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
    """The whole environment of a git call: the kept part of the server's, our fixed values, and `extra`."""
    chosen = {"GIT_INDEX_FILE": str(index)} if index is not None else {}
    return {**_taken(_KEPT), **_FIXED, **chosen, **(extra or {})}


def signing_environment() -> dict[str, str]:
    """The part of the server's environment that leads to signing keys."""
    return _taken(_SIGNING)


def _taken(names: Iterable[str]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}
