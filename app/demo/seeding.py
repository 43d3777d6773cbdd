"""Fill the demo's board as a person would: a project, its agents, its tasks. What is there already stays."""

import shlex
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from app.agents.creating import create_agent, edit_agent
from app.agents.forms import AgentForm
from app.agents.rows import AgentRow, agents_of
from app.demo.agent import MODEL
from app.demo.sample import make_sample
from app.demo.stories import Story, stories
from app.events.recording import Actor
from app.postgres.reading import rows
from app.projects.creating import create_project
from app.projects.forms import NewProject
from app.projects.rows import ProjectRow, project_at
from app.projects.tables import Project
from app.tasks.creating import create_task
from app.tasks.forms import NewTask

#: One more than may work at once, so that one that stands in error leaves both slots to the others.
AGENTS = ("script-1", "script-2", "script-3")
SLOTS = 2

_PROGRAM = Path(__file__).with_name("agent.py").resolve()


async def seed(repository: Path, actor: Actor, pace: float) -> ProjectRow:
    """The demo's project on the sample repository at `repository`; the agents play at `pace`."""
    await make_sample(repository)
    project = await project_at(str(repository.resolve())) or await create_project(_project(repository), actor)
    await _show_the_script(project)
    await _agents(project, actor, pace)
    await _tasks(project, actor)
    return project


def _project(repository: Path) -> NewProject:
    return NewProject(
        path=str(repository),
        description="The demo's sample repository: adds up what you spent, from CSV files.",
        max_concurrent_agents=SLOTS,
    )


async def _show_the_script(project: ProjectRow) -> None:
    """In a sandbox the script reads its stories beside it."""
    config = msgspec.structs.replace(project.config, sandbox_readable=(str(_PROGRAM.parent),))
    await Project.update({Project.config: config.to_json()}).where(Project.id == project.id)


async def _agents(project: ProjectRow, actor: Actor, pace: float) -> None:
    command = (sys.executable, "-I", str(_PROGRAM), "--pace", f"{pace:g}")
    there = {agent.name: agent for agent in await agents_of(project.id)}
    for name in AGENTS:
        agent = there.get(name)
        if agent is None:
            await create_agent(project.id, _agent(name, command), actor)
        elif _is_outdated(agent, command):
            await edit_agent(agent.id, _agent(name, command), actor)


def _agent(name: str, command: tuple[str, ...]) -> AgentForm:
    return AgentForm(name=name, runner="command", command=shlex.join(command), model=MODEL)


def _is_outdated(agent: AgentRow, command: tuple[str, ...]) -> bool:
    """Whether it runs our program by another path (an upgrade moved it) or at another pace."""
    ours = Path(agent.config.command[2]).name == _PROGRAM.name if len(agent.config.command) > 2 else False
    return ours and agent.config.command != command


async def _tasks(project: ProjectRow, actor: Actor) -> None:
    made = await _titles_made(project)
    agents = {agent.name: agent.id for agent in await agents_of(project.id)}
    missing = [story for story in stories() if story.title not in made]
    for story in [story for story in missing if story.start]:
        await create_task(project.id, _task(story, agents), actor)
    for story in reversed([story for story in missing if not story.start]):  # A new card is the first of Backlog.
        await create_task(project.id, _task(story, agents), actor)


def _task(story: Story, agents: dict[str, str]) -> NewTask:
    return NewTask(
        title=story.title,
        description=story.description.strip(),
        labels=list(story.labels),
        agent_id=agents.get(story.agent),
        start=story.start,
    )


async def _titles_made(project: ProjectRow) -> set[str]:
    """Titles of all tasks there ever were, so that one that was deleted does not come back."""

    class _Title(Struct):
        title: str

    found = await rows(
        _Title,
        "SELECT payload ->> 'title' AS title FROM events WHERE project_id = $1 AND kind = 'task.created'",
        project.id,
    )
    return {each.title for each in found}
