"""The home folder of a program in a sandbox: empty but for the sign-ins of known programs, and for what a project's
agents keep from one run to the next. Nothing in it can change what the person's own programs do later."""

import os
from collections.abc import Mapping
from pathlib import Path

from app.git.own_files import read_note, write_note
from app.processes.sandbox import Mount, readable, writable

#: Kept for each project in our data folder: conversations to go on with, and what was downloaded.
_KEPT = (
    ".cache", ".npm", ".claude/projects", ".codex/sessions", ".gemini/tmp", ".local/share/opencode",
    ".local/share/pnpm", ".bun/install/cache", ".cargo/registry", ".cargo/git", "go/pkg", ".m2/repository", ".gradle",
)  # fmt: skip
#: The person's own sign-ins, which a program must be able to renew.
_SIGN_INS = (
    ".claude/.credentials.json",
    ".codex/auth.json",
    ".gemini/oauth_creds.json",
    ".gemini/google_accounts.json",
)
#: What opencode reads of its folder, in which it must be able to write: it does not start otherwise.
_OF_OPENCODE = (
    "opencode.json", "opencode.jsonc", "config.json", "AGENTS.md", "agent", "agents", "command", "commands", "mode",
    "modes", "plugin", "plugins", "skill", "skills", "tool", "tools", "themes",
)  # fmt: skip
#: The person's own configuration, which can be read.
_CONFIGURATION = (
    ".gitconfig", ".config/git", ".codex/config.toml", ".gemini/settings.json",
    *(f".config/opencode/{name}" for name in _OF_OPENCODE),
)  # fmt: skip
#: Sign-ins that lie in a folder that is kept: each run begins with a copy.
_COPIED = (".local/share/opencode/auth.json",)


def home_of(kept: Path, home: Path, env: Mapping[str, str]) -> tuple[Mount, ...]:
    """What is seen in `home`, with `kept` as the place of what stays."""
    for name in _KEPT:
        (kept / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _COPIED:
        if signed_in := read_note(home / name):
            write_note(kept / name, signed_in)
            os.chmod(kept / name, 0o600)  # noqa: PTH101 - just written, so no link
    own = [home / name for name in _SIGN_INS]
    return (
        *(Mount(home / name, kept / name, can_write=True) for name in _KEPT),
        *writable(*(path for path in own if path.is_file())),
        *readable(*(home / name for name in _CONFIGURATION)),
        *_claude_elsewhere(kept, home, env),
    )


def _claude_elsewhere(kept: Path, home: Path, env: Mapping[str, str]) -> tuple[Mount, ...]:
    """Claude Code's folder, where a variable names another one than the usual."""
    named = env.get("CLAUDE_CONFIG_DIR", "")
    if not named.startswith("/") or Path(named) == home / ".claude":
        return ()
    folder = Path(named)
    signed_in = folder / ".credentials.json"
    return (
        Mount(folder, None, can_write=True),
        Mount(folder / "projects", kept / ".claude/projects", can_write=True),
        *(writable(signed_in) if signed_in.is_file() else ()),
    )
