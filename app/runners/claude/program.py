"""Find Claude Code and its key."""

import importlib.metadata
import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

from app.runners.base import Availability
from app.runners.presets.known import CLAUDE_SIGN_IN
from app.runners.presets.signing_in import look_for

#: What brings both the SDK and the program.
_INSTALL = "pip install 'agentpane[claude]'"


def find_claude(env: Mapping[str, str]) -> Availability:
    """Whether the SDK, the program and a key are there; nothing is started and no file is read."""
    package = importlib.util.find_spec("claude_agent_sdk")
    if package is None or package.origin is None:
        return Availability(
            ready=False,
            missing="The Claude Agent SDK is not installed: pip install 'agentpane[claude]'.",
            install=_INSTALL,
        )
    bundled = Path(package.origin).parent / "_bundled" / "claude"
    program = str(bundled) if bundled.is_file() else shutil.which("claude", path=env.get("PATH", ""))
    version = importlib.metadata.version("claude-agent-sdk")
    if program is None:
        missing = "Claude Code was not found: install it, or reinstall the SDK with pip install 'agentpane[claude]'."
        return Availability(ready=False, version=version, missing=missing, install=_INSTALL)
    if not look_for(CLAUDE_SIGN_IN, env).is_found:
        missing = "Claude Code has no key: set ANTHROPIC_API_KEY where AgentPane starts, or sign in with 'claude' once."
        return Availability(ready=False, program=program, version=version, missing=missing)
    return Availability(ready=True, program=program, version=version)
