"""The programs that tests put to work: runner and command of an agent, and what leads them to the scripted model."""

import importlib.util
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.programs.installing import installed

#: No program may ever reach a real service with it.
KEY = "dummy-key-for-tests"
MODEL = "scripted"
_CODEX = """model = "{model}"
model_provider = "scripted"
check_for_update_on_startup = false

[model_providers.scripted]
name = "Scripted"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 0

[features]
unified_exec = false
"""


@dataclass(frozen=True)
class Known:
    """One program. Its command is found on the PATH of `environment`."""

    name: str
    runner: str
    command: str = ""
    #: What its tools are called in the audit log when it writes a file, and when it runs a command.
    writes: str = "Write"
    runs: str = "Bash"
    #: Whether it tells the tokens of a run with several answers.
    tells_tokens: bool = True
    #: Whether npm brings it.
    is_npm: bool = True


CLAUDE = Known("claude", "claude", is_npm=False)
CLAUDE_ACP = Known("claude-agent-acp", "acp", "claude-agent-acp")
OPENCODE = Known("opencode", "acp", "opencode acp", writes="write", runs="bash", tells_tokens=False)
CODEX = Known(
    "codex",
    "command",
    "codex exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox {prompt}",
    writes="Bash",
)
KNOWN = (CLAUDE, CLAUDE_ACP, OPENCODE, CODEX)


def environment(url: str, home: Path, programs: Iterable[Known] = KNOWN) -> dict[str, str]:
    """What AgentPane, or a runner, needs in its environment so that these programs find the model at `url`.

    `home` gets the configuration of those that keep theirs in files. Installs what is missing.
    """
    npm = any(program.is_npm for program in programs)
    folders = [*([str(installed())] if npm else []), str(Path(sys.executable).parent), os.environ["PATH"]]
    codex = home / ".codex"
    codex.mkdir(parents=True, exist_ok=True)
    (codex / "config.toml").write_text(_CODEX.format(model=MODEL, url=url))
    (home / ".config" / "opencode").mkdir(parents=True, exist_ok=True)  # As opencode makes it when it is first asked.
    given = {
        "CLAUDE_CODE_EXECUTABLE": str(bundled_claude()),
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "OPENCODE_CONFIG_CONTENT": json.dumps(_opencode(url)),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
    }
    return {
        "HOME": str(home), "PATH": os.pathsep.join(folders), "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY,
        "OPENAI_API_KEY": KEY, "AGENTPANE_AGENT_ENV": " ".join(given), **given,
    }  # fmt: skip


def bundled_claude() -> Path:
    """Claude Code as the Claude Agent SDK brings it."""
    package = importlib.util.find_spec("claude_agent_sdk")
    if package is None or package.origin is None:
        pytest.skip("the Claude Agent SDK is not installed")
    return Path(package.origin).parent / "_bundled" / "claude"


def _opencode(url: str) -> dict[str, object]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Scripted",
        "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
        "models": {MODEL: {"name": "Scripted", "limit": {"context": 200_000, "output": 8_000}}},
    }
    model = f"scripted/{MODEL}"
    return {"provider": {"scripted": provider}, "model": model, "small_model": model, "autoupdate": False}
