"""Rules are typed a line each; one that cannot be read is named and nothing is stored."""

import html

import msgspec
import pytest

from app.agents.rows import get_agent
from app.postgres.reading import scalar
from app.projects.rows import ProjectRow, get_project
from app.runners.rules import Rules
from tests.visitor import Visitor
from tests.work import add_agent

RULES = {
    "permissions_allow": "Bash(git status)\n\nBash(ls, really)",
    "permissions_ask": "  Bash(git push*)\nEdit(migrations/**)\r\nBash(git push*)",
    "permissions_deny": "Read(.env)",
}
STORED = Rules(("Bash(git status)", "Bash(ls, really)"), ("Bash(git push*)", "Edit(migrations/**)"), ("Read(.env)",))


async def test_the_rules_of_a_project_are_kept_as_they_were_typed(visitor: Visitor, project: ProjectRow) -> None:
    page = f"/projects/{project.id}/settings"
    assert (await visitor.send(page, page, **RULES)).status_code == 303
    assert (await get_project(project.id)).config.permissions == STORED
    stored = msgspec.json.decode(await scalar("SELECT config FROM projects WHERE id = $1", project.id))
    assert stored["permissions"] == {"allow": [*STORED.allow], "ask": [*STORED.ask], "deny": [*STORED.deny]}
    assert "\nBash(git push*)\nEdit(migrations/**)</textarea>" in await visitor.page(page)
    assert (await visitor.send(page, page)).status_code == 303
    assert (await get_project(project.id)).config.permissions == STORED


async def test_the_rules_of_an_agent_stand_beside_those_of_its_project(visitor: Visitor, project: ProjectRow) -> None:
    settings = f"/projects/{project.id}/settings"
    await visitor.send(settings, settings, permissions_ask="WebFetch")
    agent = await add_agent(project.id)
    page = f"/agents/{agent.id}"
    assert "Also from the project: WebFetch" in await visitor.page(page)
    assert (await visitor.send(page, page, **RULES)).status_code == 303
    agent, project = await get_agent(agent.id), await get_project(project.id)
    assert (project.config.permissions + agent.config.permissions).ask == ("WebFetch", *STORED.ask)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("Bash\nBash(git push", "Rule 2, 'Bash(git push', cannot be read: write a tool's name"),
        ("Bash()", "Rule 1, 'Bash()', cannot be read"),
        ("git push", "Rule 1, 'git push', cannot be read"),
        ("(x)", "Rule 1, '(x)', cannot be read"),
        ("Bash(x) y", "Rule 1, 'Bash(x) y', cannot be read"),
        ("Bash\n\nBash)", "Rule 2, 'Bash)', cannot be read"),
        ("Bash(\x1b[31m)", "a rule has no control characters"),
        (f"Bash({'x' * 600})", "a rule has at most 500 characters"),
        ("\n".join(f"T{n}" for n in range(201)), "Give at most 200 rules; these are 201"),
    ],
)
async def test_a_rule_that_cannot_be_read_is_named_and_what_was_typed_is_kept(
    visitor: Visitor, project: ProjectRow, typed: str, sentence: str
) -> None:
    agent = await add_agent(project.id)
    for page in (f"/projects/{project.id}/settings", f"/agents/{agent.id}"):
        answer = await visitor.send(page, page, permissions_deny=typed, permissions_ask="Bash", name="Renamed")
        assert answer.status_code == 422
        shown = html.unescape(answer.text)
        assert sentence in shown
        assert typed.strip("\n") in shown
        assert 'value="Renamed"' in shown
    assert (await get_project(project.id)).config.permissions == Rules()
    assert (await get_agent(agent.id)).config.permissions == Rules()
