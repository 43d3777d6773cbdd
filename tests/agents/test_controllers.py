"""The pages of agents: the list with its form, and one agent; with plain forms and with htmx."""

import pytest

from app.agents.rows import agents_of, get_agent
from app.projects.rows import ProjectRow
from tests.visitor import Visitor
from tests.work import add_agent, begin, call, end, queue


async def test_an_agent_is_added(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/agents"
    assert "No agents yet" in await visitor.page(path)
    answer = await visitor.send(
        path, path, name="opus-1", runner="command", command="env FOO=1 'my program' {prompt}", temperature="0,5",
        allowed_tools="Read, Bash(git log --format=%h,%s)", max_turns="12", model="opus", system_prompt="Be brief.",
    )  # fmt: skip
    (agent,) = await agents_of(project.id)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/agents/{agent.id}")
    config = agent.config
    assert (config.command, config.temperature) == (("env", "FOO=1", "my program", "{prompt}"), 0.5)
    assert config.allowed_tools == ("Read", "Bash(git log --format=%h,%s)")
    page = await visitor.page(path)
    assert f'href="/agents/{agent.id}"' in page
    assert 'data-agent-status="idle"' in page
    assert "opus-1" in await visitor.page(answer.headers["location"])


async def test_htmx_is_sent_to_the_new_agent(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/agents"
    answer = await visitor.send_htmx(path, path, name="by-htmx")
    (agent,) = await agents_of(project.id)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, f"/agents/{agent.id}")


WRONG = [
    ("name", ""),
    ("name", "n" * 101),
    ("type", "boss"),
    ("runner", "perl"),
    ("max_turns", "0"),
    ("max_turns", "1001"),
    ("max_turns", "some"),
    ("temperature", "1.1"),
    ("temperature", "-0.1"),
    ("temperature", "warm"),
    ("model", "m" * 201),
    ("command", "c" * 4001),
    ("command", "say 'unclosed"),
    ("system_prompt", "s" * 20_001),
    ("allowed_tools", ",".join(f"Tool{n}" for n in range(101))),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
async def test_a_wrong_field_comes_back_with_its_sentence(
    visitor: Visitor, project: ProjectRow, field: str, value: str
) -> None:
    path = f"/projects/{project.id}/agents"
    typed = {"name": "kept-name", "runner": "command", "command": "kept-command", field: value}
    answer = await visitor.send(path, path, **typed)
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    kept = "kept-name" if field != "name" else "kept-command"
    assert f'value="{kept}"' in answer.text
    assert await agents_of(project.id) == []
    partial = await visitor.send_htmx(path, path, **typed)
    assert partial.status_code == 422
    assert partial.text.startswith('<hx-partial hx-target="#main"')
    assert f'id="f-{field}-error"' in partial.text


async def test_a_command_runner_needs_its_command(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/agents"
    answer = await visitor.send(path, path, name="a", runner="command", command="")
    assert (answer.status_code, 'id="f-command-error"' in answer.text) == (422, True)


async def test_html_in_names_is_text(visitor: Visitor, project: ProjectRow) -> None:
    path = f"/projects/{project.id}/agents"
    hostile = "<img src=x onerror=alert(1)>"
    answer = await visitor.send(
        path, path, name=hostile, runner="command", command=hostile, system_prompt="</textarea>"
    )
    for shown in (path, answer.headers["location"], f"/projects/{project.id}"):
        page = await visitor.page(shown)
        assert hostile not in page
        assert "&lt;img src=x" in page


async def test_the_configuration_is_edited_and_kept_as_it_is_shown(visitor: Visitor, project: ProjectRow) -> None:
    agent = await add_agent(
        project.id, command="sh -c 'echo \"$0\"' {prompt}", temperature=0.25, system_prompt="Two\nlines"
    )
    path = f"/agents/{agent.id}"
    answer = await visitor.send(path, path)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert (await get_agent(agent.id)).config == agent.config
    await visitor.send(path, path, name="renamed", max_turns="9")
    changed = await get_agent(agent.id)
    assert (changed.name, changed.config.max_turns, changed.config.command) == ("renamed", 9, agent.config.command)
    wrong = await visitor.send(path, path, name="", max_turns="7")
    assert (wrong.status_code, 'id="f-name-error"' in wrong.text, 'value="7"' in wrong.text) == (422, True, True)


async def test_the_page_says_whether_the_program_is_there(visitor: Visitor, project: ProjectRow) -> None:
    found = await add_agent(project.id, "found", "cat")
    missing = await add_agent(project.id, "missing", "no-such-program-anywhere {prompt}")
    assert "This agent cannot start" not in await visitor.page(f"/agents/{found.id}")
    page = await visitor.page(f"/agents/{missing.id}")
    assert "This agent cannot start" in page
    assert "no-such-program-anywhere" in page
    assert "Install it" in page


async def test_the_page_shows_work_and_its_record(visitor: Visitor, project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    claim = await begin(project.id, "Fix <the> resolver")
    await call(claim, "Bash", {"command": "pytest -q"})
    waiting = await queue(project.id, "Wait in line")
    page = await visitor.page(f"/agents/{agent.id}")
    assert 'data-agent-status="starting"' in page
    assert "Bash pytest -q" in page
    assert f'href="/sessions/{claim.session_id}"' in page
    assert 'action="/agents/' + agent.id + '/stop"' in page
    assert f'action="/agents/{agent.id}/pause"' in page
    for absent in ("resume", "delete"):
        assert f'/agents/{agent.id}/{absent}"' not in page
    listed = await visitor.page(f"/projects/{project.id}/agents")
    assert "Fix &lt;the&gt; resolver" in listed
    assert "1 task in line" in listed
    assert waiting.title not in listed

    await end(claim, "process_exit", "The program ended with exit code 3.")
    page = await visitor.page(f"/agents/{agent.id}")
    assert 'data-agent-status="error"' in page
    assert "The program ended with exit code 3." in page
    assert 'data-run-status="error"' in page
    assert f'href="/runs/{claim.run_id}"' in page
    assert "process_exit" in page
    assert f'action="/agents/{agent.id}/retry"' in page


async def test_an_agent_without_a_past_is_deleted(visitor: Visitor, project: ProjectRow) -> None:
    agent = await add_agent(project.id)
    path = f"/agents/{agent.id}"
    answer = await visitor.send(path, f"{path}/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/projects/{project.id}/agents")
    assert (await visitor.get(path)).status_code == 404


async def test_an_agent_at_work_is_not_deleted(visitor: Visitor, project: ProjectRow) -> None:
    claim = await begin(project.id)
    answer = await visitor.post(f"/agents/{claim.agent_id}/delete")
    assert (answer.status_code, 'data-error-code="AGENT_ALREADY_RUNNING"' in answer.text) == (409, True)


async def test_ids_that_are_not_known_or_not_ids(visitor: Visitor, project: ProjectRow) -> None:
    unknown = await visitor.get("/agents/abcdefghijklmnopqrstuvwx")
    assert (unknown.status_code, 'data-error-code="AGENT_NOT_FOUND"' in unknown.text) == (404, True)
    malformed = await visitor.get("/agents/Not-An-Id")
    assert (malformed.status_code, 'data-error-code="INVALID_ID"' in malformed.text) == (400, True)
    nowhere = await visitor.post("/projects/abcdefghijklmnopqrstuvwx/agents", name="a")
    assert (nowhere.status_code, 'data-error-code="PROJECT_NOT_FOUND"' in nowhere.text) == (404, True)


@pytest.mark.parametrize(
    ("command", "says"),
    [("sh x.sh", "do not reach this command, unless it asks by itself"), ("claude -p {prompt}", "asks before each of")],
)
async def test_a_command_s_page_says_how_far_its_rules_reach(
    visitor: Visitor, project: ProjectRow, command: str, says: str
) -> None:
    path = f"/projects/{project.id}/agents"
    await visitor.send(path, path, name="a", runner="command", command=command)
    assert says in await visitor.page(f"/agents/{(await agents_of(project.id))[0].id}")
