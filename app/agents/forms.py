"""What people type about agents, with the limits of the contract."""

import shlex
from typing import Annotated, Literal

from msgspec import Meta

from app.agents.rows import AgentConfig, AgentType, RunnerKind
from app.errors import Invalid
from app.projects.permitting import RuleFields

Tool = Annotated[str, Meta(min_length=1, max_length=200)]


class AgentForm(RuleFields, frozen=True, kw_only=True):
    """The forms 'Add an agent' and 'Edit configuration'."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    type: AgentType = "task"
    runner: RunnerKind = "claude"
    #: One line in POSIX quoting; split once, stored as a list.
    command: Annotated[str, Meta(max_length=4000)] = ""
    model: Annotated[str, Meta(max_length=200)] = ""
    #: Empty, as the model and the tools: what the project says.
    max_turns: Annotated[int, Meta(ge=1, le=1000)] | None = None
    timeout_minutes: Annotated[int, Meta(ge=1, le=10_080)] | None = None
    #: Comma separated in the form.
    allowed_tools: Annotated[tuple[Tool, ...], Meta(max_length=100)] = ()
    system_prompt: Annotated[str, Meta(max_length=20_000)] | None = None
    #: For a background agent: what it is told each time it is started.
    prompt: Annotated[str, Meta(max_length=20_000)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    #: It may demand a sandbox; let out it cannot be.
    sandbox: Literal["", "required"] = ""

    def config(self) -> AgentConfig:
        """The document to store. `VALIDATION_ERROR` beside `command` when it cannot be split or is missing."""
        return AgentConfig(
            allowed_tools=tuple(dict.fromkeys(self.allowed_tools)) or None,
            max_turns=self.max_turns,
            timeout_minutes=self.timeout_minutes,
            model=self.model,
            system_prompt=self.system_prompt or None,
            temperature=self.temperature,
            runner=self.runner,
            command=self._split_command(),
            prompt=self._standing_prompt(),
            sandbox=self.sandbox,
            permissions=self.rules(),
        )

    def _standing_prompt(self) -> str | None:
        if self.type == "background" and self.runner != "command" and not self.prompt:
            raise Invalid({"prompt": "A background agent needs to be told what to do each time it is started."})
        return self.prompt or None

    def _split_command(self) -> tuple[str, ...]:
        try:
            words = tuple(shlex.split(self.command))
        except ValueError as error:
            raise Invalid({"command": f"This line cannot be split into arguments: {error}."}) from error
        if self.runner in ("command", "acp") and not words:
            raise Invalid({"command": "Give the program and its arguments, as you would type them."})
        if any("\0" in word for word in words):
            raise Invalid({"command": "An argument cannot contain a NUL character."})
        return words
