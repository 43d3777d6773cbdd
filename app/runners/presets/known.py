"""The known programs as data. A command is what a person would type; where it is found is decided by PATH."""

import shlex
from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

from msgspec import Struct


class SignIn(Struct, frozen=True, kw_only=True):
    """What shows that a program can reach its model."""

    #: Variables, of which one that is set is enough.
    variables: tuple[str, ...]
    #: Files below the home folder, of which one that exists is enough. They are never read.
    files: tuple[str, ...] = ()
    #: Files below a folder that a variable names, where it is set: the variable, and the file.
    moved: tuple[str, str] | None = None
    #: What a person does to sign in.
    how: str


class Preset(Struct, frozen=True, kw_only=True):
    """One way to put a program to work."""

    id: str
    name: str
    runner: Literal["claude", "acp", "command"]
    #: As the form of an agent takes it. Empty: the runner knows its program itself.
    command: str = ""
    #: The line that installs it.
    install: str
    sign_in: SignIn

    @property
    def words(self) -> tuple[str, ...]:
        """The command as arguments."""
        return tuple(shlex.split(self.command))


CLAUDE_SIGN_IN = SignIn(
    variables=(
        "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY",
    ),
    files=(".claude/.credentials.json",),
    moved=("CLAUDE_CONFIG_DIR", ".credentials.json"),
    how="Set ANTHROPIC_API_KEY where AgentPane starts, or sign in with 'claude' once.",
)  # fmt: skip
_CODEX = SignIn(
    variables=("OPENAI_API_KEY", "CODEX_API_KEY"),
    files=(".codex/auth.json",),
    moved=("CODEX_HOME", "auth.json"),
    how="Sign in with 'codex login' once, or set OPENAI_API_KEY where AgentPane starts.",
)
_GEMINI = SignIn(
    variables=("GEMINI_API_KEY",),
    files=(".gemini/oauth_creds.json",),
    how="Set GEMINI_API_KEY where AgentPane starts, or sign in with 'gemini' once.",
)
_OPENCODE = SignIn(
    variables=("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENCODE_CONFIG_CONTENT"),
    files=(
        ".local/share/opencode/auth.json",
        ".config/opencode/opencode.json",
        ".config/opencode/opencode.jsonc",
    ),
    how="Sign in with 'opencode auth login' once, or set the key of its model's provider where AgentPane starts.",
)
_INSTALL_OPENCODE = "npm install -g opencode-ai"
_INSTALL_GEMINI = "npm install -g @google/gemini-cli"

#: In the order in which they are offered: what tells most and can be asked first.
PRESETS = (
    Preset(
        id="claude",
        name="Claude Code",
        runner="claude",
        install="pip install 'agentpane[claude]'",
        sign_in=CLAUDE_SIGN_IN,
    ),
    Preset(
        id="claude-agent-acp",
        name="Claude Code over ACP",
        runner="acp",
        command="claude-agent-acp",
        install="npm install -g @agentclientprotocol/claude-agent-acp",
        sign_in=CLAUDE_SIGN_IN,
    ),
    Preset(
        id="opencode-acp",
        name="opencode over ACP",
        runner="acp",
        command="opencode acp",
        install=_INSTALL_OPENCODE,
        sign_in=_OPENCODE,
    ),
    Preset(
        id="gemini-acp",
        name="Gemini CLI over ACP",
        runner="acp",
        command="gemini --acp",
        install=_INSTALL_GEMINI,
        sign_in=_GEMINI,
    ),
    Preset(
        id="codex-acp",
        name="Codex over ACP",
        runner="acp",
        command="codex-acp",
        install="npm install -g @zed-industries/codex-acp",
        sign_in=_CODEX,
    ),
    Preset(
        id="codex",
        name="Codex as a command",
        runner="command",
        command="codex exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox {prompt}",
        install="npm install -g @openai/codex",
        sign_in=_CODEX,
    ),
    Preset(
        id="claude-command",
        name="Claude Code as a command",
        runner="command",
        command="claude -p --output-format stream-json --verbose {prompt}",
        install="npm install -g @anthropic-ai/claude-code",
        sign_in=CLAUDE_SIGN_IN,
    ),
    Preset(
        id="gemini",
        name="Gemini CLI as a command",
        runner="command",
        command="gemini -p {prompt} --skip-trust --approval-mode yolo --output-format stream-json",
        install=_INSTALL_GEMINI,
        sign_in=_GEMINI,
    ),
    Preset(
        id="opencode",
        name="opencode as a command",
        runner="command",
        command="opencode run --format json {prompt}",
        install=_INSTALL_OPENCODE,
        sign_in=_OPENCODE,
    ),
)


def preset_of(runner: str, command: Sequence[str]) -> Preset | None:
    """The preset whose program this configuration starts, whatever its further arguments."""
    name = PurePath(command[0]).name if command else ""
    for preset in PRESETS:
        if preset.runner == runner and (runner == "claude" or preset.words[0] == name):
            return preset
    return None
