"""Find Claude Code and its key."""

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from app.runners.base import Availability

_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
_CLOUDS = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY")


def find_claude(env: Mapping[str, str]) -> Availability:
    """Whether the SDK, the program and a key are there; nothing is started and no file is read."""
    package = importlib.util.find_spec("claude_agent_sdk")
    if package is None or package.origin is None:
        return Availability(
            ready=False, missing="The Claude Agent SDK is not installed: pip install 'agentpane[claude]'."
        )
    bundled = Path(package.origin).parent / "_bundled" / "claude"
    program = str(bundled) if bundled.is_file() else shutil.which("claude", path=env.get("PATH", ""))
    version = importlib.metadata.version("claude-agent-sdk")
    if program is None:
        missing = "Claude Code was not found: install it, or reinstall the SDK with pip install 'agentpane[claude]'."
        return Availability(ready=False, version=version, missing=missing)
    if not _has_key(env):
        missing = "Claude Code has no key: set ANTHROPIC_API_KEY where AgentPane starts, or sign in with 'claude' once."
        return Availability(ready=False, program=program, version=version, missing=missing)
    return Availability(ready=True, program=program, version=version)


def _has_key(env: Mapping[str, str]) -> bool:
    return any(env.get(name) for name in (*_KEYS, *_CLOUDS)) or _is_signed_in(env)


def _is_signed_in(env: Mapping[str, str]) -> bool:
    home = Path(env.get("HOME") or "/nonexistent")
    folder = Path(env.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    # macOS keeps the sign-in itself in its key chain; the file beside it shows that Claude Code was set up.
    return (folder / ".credentials.json").exists() or (sys.platform == "darwin" and (home / ".claude.json").exists())
