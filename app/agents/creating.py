"""Add an agent to a project, and change its configuration."""

import msgspec

from app.agents.forms import AgentForm
from app.agents.rows import LIVE, AgentConfig, AgentRow, AgentType, agents_of, get_agent, has_sessions
from app.agents.tables import Agent
from app.clock import now
from app.configuration.sources import TemplateName
from app.configuration.writing import with_prompt
from app.errors import Conflict
from app.events.recording import Actor, record
from app.ids import create_id
from app.projects.locking import locked
from app.projects.rows import get_project


async def create_agent(project_id: str, form: AgentForm, actor: Actor) -> AgentRow:
    """The new agent, idle."""
    await get_project(project_id)
    config = form.config()
    async with locked(project_id):
        return await add_in_lock(project_id, form.name, form.type, config, actor)


async def create_from_project(project_id: str, actor: Actor) -> AgentRow:
    """An agent with the project's configuration, made because a task waits and there is room. In the project's lock."""
    taken = {agent.name for agent in await agents_of(project_id)}
    name = next(name for n in range(1, len(taken) + 2) if (name := f"claude-{n}") not in taken)
    return await add_in_lock(project_id, name, "task", AgentConfig(), actor)


async def add_in_lock(project_id: str, name: str, type_: AgentType, config: AgentConfig, actor: Actor) -> AgentRow:
    """Insert the row and record it; the caller holds the project's lock."""
    agent_id = create_id()
    document = config.to_json((await get_project(project_id)).config)
    await Agent.insert(Agent(id=agent_id, project_id=project_id, name=name, type=type_, config=document))
    await record(project_id, "agent.created", actor=actor, subject=agent_id, payload={"name": name})
    return await get_agent(agent_id)


async def edit_agent(agent_id: str, form: AgentForm, actor: Actor) -> AgentRow:
    """Change name and configuration; a run that is going on keeps what it was started with."""
    agent = await get_agent(agent_id)
    form_config = form.config()
    async with locked(agent.project_id):
        config = msgspec.structs.replace(form_config, prompts=(await get_agent(agent_id)).config.prompts)
        document = config.to_json((await get_project(agent.project_id)).config)
        await Agent.update(
            {Agent.name: form.name, Agent.type: form.type, Agent.config: document, Agent.updated_at: now()}
        ).where(Agent.id == agent_id)
        await record(agent.project_id, "agent.edited", actor=actor, subject=agent_id, payload={"name": form.name})
    return await get_agent(agent_id)


async def write_agent_prompt(agent: AgentRow, name: TemplateName, text: str, actor: Actor) -> None:
    """A template of its own; an empty one is taken away. `VALIDATION_ERROR` beside `template`."""
    async with locked(agent.project_id):
        config = (await get_agent(agent.id)).config
        changed = msgspec.structs.replace(config, prompts=with_prompt(config.prompts, name, text))
        document = changed.to_json((await get_project(agent.project_id)).config)
        await Agent.update({Agent.config: document, Agent.updated_at: now()}).where(Agent.id == agent.id)
        await record(agent.project_id, "agent.edited", actor=actor, subject=agent.id, payload={"name": agent.name})


async def delete_agent(agent_id: str, actor: Actor) -> AgentRow:
    """Delete an agent that holds no task; its runs and audit rows go with it, so it must never have been asked."""
    agent = await get_agent(agent_id)
    async with locked(agent.project_id):
        agent = await get_agent(agent_id)
        if agent.status in LIVE or agent.current_task_id:
            raise Conflict("Stop this agent first: it holds a task.", "AGENT_ALREADY_RUNNING")
        if agent.total_tasks or await has_sessions(agent_id):
            raise Conflict("This agent has sessions or runs on record, so it stays. Rename it instead.", "CONFLICT")
        await Agent.delete().where(Agent.id == agent_id)
        await record(agent.project_id, "agent.deleted", actor=actor, subject=agent_id, payload={"name": agent.name})
    return agent
