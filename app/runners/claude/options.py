"""With which options and environment Claude Code is started."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from app.processes.spawning import write_wrapper
from app.runners.base import RunSpec

if TYPE_CHECKING:
    from claude_agent_sdk import ClaudeAgentOptions
    from claude_agent_sdk.types import SystemPromptPreset

#: Ours, where the caller set nothing else. Few retries: a service that is down fails in seconds, not in minutes.
DEFAULT_ENV = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_MAX_RETRIES": "4",
}
#: What the SDK tells the program through the environment.
SDK_VARIABLES = ("CLAUDE_CODE_ENTRYPOINT", "CLAUDE_AGENT_SDK_VERSION", "CLAUDE_CODE_SDK_READS_SESSION_STATE")
#: Longest line the program may say: a message with a large file in it.
MAX_BUFFER = 16 * 1024 * 1024
#: Seconds for which a call may wait for a person, a week; the program by itself would wait ten minutes.
ASKING_S = 7 * 24 * 3600.0

Hook = Callable[[Any, str | None, Any], Awaitable[Any]]


class Hooks(Struct, frozen=True, kw_only=True):
    """Where the program calls back."""

    before_tool: Hook
    after_tool: Hook
    stderr: Callable[[str], None]


def make_options(
    spec: RunSpec, program: str, resume: str | None, tools: list[str], hooks: Hooks
) -> "ClaudeAgentOptions":
    """The SDK's options for `spec`; the program is started under a guard, with the environment of `spec` alone."""
    from claude_agent_sdk import ClaudeAgentOptions, HookMatcher

    env = {**DEFAULT_ENV, **spec.env}
    wrapper, handed_on = write_wrapper(spec.state_dir, [program], env, spec.run_id, SDK_VARIABLES, spec.sandbox)
    after = [HookMatcher(hooks=[hooks.after_tool])]
    return ClaudeAgentOptions(
        cli_path=wrapper.absolute(),
        cwd=spec.cwd,
        env=handed_on,
        model=spec.model,
        system_prompt=_system_prompt(spec.system_prompt),
        tools=tools,
        # Our hook decides on every call; what would reach a question all the same is refused, not asked.
        permission_mode="dontAsk",
        hooks={
            "PreToolUse": [HookMatcher(hooks=[hooks.before_tool], timeout=ASKING_S)],
            "PostToolUse": after,
            "PostToolUseFailure": after,
        },
        max_turns=max(1, spec.max_turns - spec.turns_before) if spec.max_turns else None,
        resume=resume,
        setting_sources=[],  # The repository's own settings could start programs.
        strict_mcp_config=True,
        verbatim_prompts=True,  # A title that begins with a slash is no command.
        include_partial_messages=True,
        stderr=hooks.stderr,
        max_buffer_size=MAX_BUFFER,
    )


def _system_prompt(more: str | None) -> "SystemPromptPreset":
    """The program's own, with the agent's words after it."""
    if more:
        return {"type": "preset", "preset": "claude_code", "append": more}
    return {"type": "preset", "preset": "claude_code"}
