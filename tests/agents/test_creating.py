"""Agents are added by people and by the queue, edited, and deleted only while they have no past."""

import msgspec
import pytest

from app.agents.configured import agent_layer
from app.agents.creating import create_agent, create_from_project, delete_agent, edit_agent
from app.agents.forms import AgentForm
from app.agents.rows import agents_of, get_agent, worker_of
from app.errors import Conflict, Invalid, InvalidId, NotFound
from app.events import reading
from app.events.recording import SYSTEM
from app.postgres.reading import scalar
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.runs.claiming import claim_next
from tests.work import MARA, add_agent, begin, end, queue


async def test_a_new_agent_is_idle_and_recorded(project: ProjectRow) -> None:
    agent = await create_agent(project.id, AgentForm(name="opus-1", model="opus", max_turns=80), MARA)
    assert (agent.name, agent.type, agent.status) == ("opus-1", "task", "idle")
    event = (await reading.of_subject(project.id, agent.id))[0]
    assert (event.kind, event.actor, event.payload) == ("agent.created", "Mara Lindqvist", {"name": "opus-1"})


async def test_the_stored_document_has_the_keys_of_the_schema(project: ProjectRow) -> None:
    form = AgentForm(
        name="all", runner="command", command="run 'it all' {prompt}", allowed_tools=["Read", "Bash"],
        model="m", system_prompt="Be brief.", temperature=0.2, max_turns=5,
    )  # fmt: skip
    agent = await create_agent(project.id, form, MARA)
    stored = msgspec.json.decode(await scalar("SELECT config FROM agents WHERE id = $1", agent.id))
    assert stored == {
        "allowedTools": ["Read", "Bash"],
        "maxTurns": 5,
        "model": "m",
        "systemPrompt": "Be brief.",
        "temperature": 0.2,
        "runner": "command",
        "command": ["run", "it all", "{prompt}"],
    }


async def test_what_the_form_leaves_open_is_as_the_project_says(project: ProjectRow) -> None:
    agent = await create_agent(project.id, AgentForm(name="plain"), MARA)
    assert (agent.config.model, agent.config.allowed_tools, agent.config.max_turns) == ("", None, None)
    assert agent_layer(agent).values == {}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (AgentForm(name="a", runner="command"), "command"),
        (AgentForm(name="a", runner="command", command="say 'unclosed"), "command"),
        (AgentForm(name="a", runner="acp"), "command"),
        (AgentForm(name="a", runner="acp", type="background", command="gemini --acp"), "prompt"),
    ],
)
async def test_a_command_that_cannot_run_is_refused(project: ProjectRow, form: AgentForm, field: str) -> None:
    with pytest.raises(Invalid) as wrong:
        await create_agent(project.id, form, MARA)
    assert list(wrong.value.fields) == [field]
    assert await agents_of(project.id) == []


async def test_an_acp_agent_uses_its_programs_own_model_unless_told(project: ProjectRow) -> None:
    agent = await create_agent(project.id, AgentForm(name="a", runner="acp", command="gemini --acp"), MARA)
    assert (agent.config.runner, agent.config.command, agent.config.model) == ("acp", ("gemini", "--acp"), "")


async def test_the_queue_makes_agents_under_names_that_are_free(project: ProjectRow) -> None:
    await add_agent(project.id, "claude-2")
    async with locked(project.id):
        made = [await create_from_project(project.id, SYSTEM) for _ in range(2)]
    assert [agent.name for agent in made] == ["claude-1", "claude-3"]
    assert agent_layer(made[0]).values == {}


async def test_editing_changes_the_configuration(project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    edited = await edit_agent(agent.id, AgentForm(name="renamed", runner="command", command="tac"), MARA)
    assert (edited.name, edited.config.command) == ("renamed", ("tac",))
    assert edited == await get_agent(agent.id)


async def test_an_agent_that_never_ran_is_deleted(project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    await delete_agent(agent.id, MARA)
    with pytest.raises(NotFound):
        await get_agent(agent.id)
    assert (await reading.of_subject(project.id, agent.id))[-1].kind == "agent.deleted"


async def test_an_agent_at_work_or_with_a_past_stays(project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    claim = await begin(project.id)
    assert claim.agent_id == agent.id
    with pytest.raises(Conflict, match="holds a task"):
        await delete_agent(agent.id, MARA)
    await end(claim)
    with pytest.raises(Conflict, match="on record"):
        await delete_agent(agent.id, MARA)
    assert (await get_agent(agent.id)).completed_tasks == 1


async def test_a_task_may_only_ask_for_a_task_agent_of_its_project(project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    talker = await add_agent(project.id, "talker", type="conversational")
    assert await worker_of(project.id, agent.id) == agent.id
    assert await worker_of(project.id, "") is None
    for other in (talker.id, "a" * 24):
        with pytest.raises(Invalid) as wrong:
            await worker_of(project.id, other)
        assert list(wrong.value.fields) == ["agent_id"]
    with pytest.raises(InvalidId):
        await worker_of(project.id, "No id")


async def test_the_queue_never_gives_work_to_an_agent_of_another_kind(project: ProjectRow) -> None:
    await add_agent(project.id, "talker", type="conversational")
    await queue(project.id)
    claim = await claim_next(project.id)
    assert claim is not None
    assert (await get_agent(claim.agent_id)).name == "claude-1"
