"""An agent as the other domains read it."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from app.errors import Invalid, InvalidId, NotFound
from app.ids import is_id
from app.postgres.reading import one, rows, scalar
from app.projects.rows import ProjectConfig, Prompts
from app.projects.tables import DEFAULT_MODEL
from app.runners.rules import Rules

AgentStatus = Literal["idle", "starting", "running", "paused", "error", "completed"]
AgentType = Literal["task", "conversational", "background"]
RunnerKind = Literal["claude", "acp", "command"]

#: States in which an agent takes one of the project's slots.
LIVE: tuple[AgentStatus, ...] = ("starting", "running", "paused")
#: States in which an agent may take a task.
FREE: tuple[AgentStatus, ...] = ("idle", "completed")


class AgentConfig(Struct, frozen=True, rename="camel", kw_only=True):
    """The document `agents.config`; keys as in the schema document, with `runner` and `command` beyond it.

    What the agent does not say for itself is as its project says, and None or empty here. In the document its key holds
    a copy of what the project said when the row was written, for whoever reads only that, and `inherits` names it.
    """

    allowed_tools: tuple[str, ...] | None = None
    max_turns: int | None = None
    timeout_minutes: int | None = None
    model: str = ""
    system_prompt: str | None = None
    temperature: float | None = None
    runner: RunnerKind = "claude"
    command: tuple[str, ...] = ()
    #: What a background agent is told each time it is started.
    prompt: str | None = None
    #: An agent may demand a sandbox where its project does not; empty: as the project says.
    sandbox: Literal["", "required"] = ""
    #: Beside those of its project.
    permissions: Rules = Rules()
    #: In place of those of its project.
    prompts: Prompts = Prompts()
    #: Of a document that was just read; what it names is not the agent's own.
    inherits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key in self.inherits:
            if key in _INHERITED:
                name, unset = _INHERITED[key]
                msgspec.structs.force_setattr(self, name, unset)
        msgspec.structs.force_setattr(self, "inherits", ())

    @property
    def chosen_model(self) -> str:
        """The model that a person chose for it; empty where it stands for the default."""
        return "" if self.model == DEFAULT_MODEL else self.model

    def to_json(self, project: ProjectConfig) -> str:
        """The document, without keys that are not set and that no schema names."""
        unset: dict[str, object] = {"sandbox": "", "permissions": {}, "model": "", "prompts": {}, "inherits": ()}
        kept = {k: v for k, v in msgspec.to_builtins(self).items() if v is not None and v != unset.get(k)}
        copied = {key: said for key, said in self._copied(project).items() if key not in kept}
        if copied:
            kept |= {**copied, "inherits": list(copied)}
        return msgspec.json.encode(kept).decode()

    def _copied(self, project: ProjectConfig) -> dict[str, object]:
        # What the project's model is called means nothing to a program that speaks ACP.
        model = "" if self.runner == "acp" else project.model
        return {"allowedTools": project.allowed_tools, "maxTurns": project.max_turns, "model": model}


#: Keys of the schema document that an agent may leave to its project: each with its field, and what that is then.
_INHERITED: dict[str, tuple[str, object]] = {
    "allowedTools": ("allowed_tools", None),
    "maxTurns": ("max_turns", None),
    "model": ("model", ""),
}


class AgentRow(Struct, frozen=True, kw_only=True):
    """One row of `agents`."""

    id: str
    project_id: str
    name: str
    type: AgentType
    status: AgentStatus
    config: AgentConfig
    current_task_id: str | None
    current_session_id: str | None
    current_worktree_id: str | None
    total_tasks: int
    completed_tasks: int
    failed_tasks: int
    last_error: str | None
    last_error_at: datetime | None
    created_at: datetime


SELECT_AGENT = (
    "SELECT id, project_id, name, type, status, config, current_task_id, current_session_id, current_worktree_id,"
    " coalesce(total_tasks, 0) AS total_tasks, coalesce(completed_tasks, 0) AS completed_tasks,"
    " coalesce(failed_tasks, 0) AS failed_tasks, last_error, last_error_at, created_at FROM agents"
)


async def get_agent(agent_id: str) -> AgentRow:
    """The agent, or `INVALID_ID` / `AGENT_NOT_FOUND`."""
    if not is_id(agent_id):
        raise InvalidId("That is not the id of an agent.")
    agent = await one(AgentRow, f"{SELECT_AGENT} WHERE id = $1", agent_id)
    if agent is None:
        raise NotFound("There is no such agent.", "AGENT_NOT_FOUND")
    return agent


async def has_sessions(agent_id: str) -> bool:
    """Whether an agent is on record in any session."""
    return bool(await scalar("SELECT 1 FROM sessions WHERE agent_id = $1 LIMIT 1", agent_id))


async def agents_of(project_id: str) -> list[AgentRow]:
    """The agents of a project, oldest first."""
    return await rows(AgentRow, f"{SELECT_AGENT} WHERE project_id = $1 ORDER BY created_at, id", project_id)


async def worker_of(project_id: str, agent_id: str | None) -> str | None:
    """The id of the task agent that a form chose, or None; one of another project or kind is a field error."""
    if not agent_id:
        return None
    if not is_id(agent_id):
        raise InvalidId("That is not the id of an agent.")
    agent = await one(AgentRow, f"{SELECT_AGENT} WHERE id = $1 AND project_id = $2", agent_id, project_id)
    if agent is None:
        raise Invalid({"agent_id": "This project has no such agent."})
    if agent.type != "task":
        raise Invalid({"agent_id": f"{agent.name} is a {agent.type} agent; choose one of type task."})
    return agent.id
