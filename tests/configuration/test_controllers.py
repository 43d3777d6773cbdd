"""The pages on which a configuration is read, and the forms that change it."""

import html
import json
import re

import pytest

from app.agents.rows import get_agent
from app.projects.rows import ProjectRow, get_project
from app.tasks.rows import get_task
from tests.git.repositories import commit
from tests.visitor import Visitor
from tests.work import add_agent, queue

CLAUDE = {
    ".claude/config.json": json.dumps(
        {
            "maxTurns": 20,
            "timeoutMinutes": 600,
            "model": "opus",
            "permissions": {"deny": ["Read(.env)"], "allow": ["Bash"]},
            "odd": 1,
        }
    ),
    ".claude/prompts/task.md": "Please <b>do</b>: {{task.title}}",
    "CLAUDE.md": "Keep it plain.",
}


def text_of(page: str, mark: str) -> str:
    """The words of the row that carries `mark`."""
    row = page.split(mark, 1)[1].split("</tr>", 1)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", row.partition(">")[2])).split())


async def test_each_value_stands_beside_who_said_it(visitor: Visitor, project: ProjectRow) -> None:
    head = commit(project.root, CLAUDE)
    page = await visitor.page(f"/projects/{project.id}/configuration")
    at = f".claude/config.json at {head[:10]}"
    assert text_of(page, 'data-setting="maxTurns"') == f"Turns per run 20 {at} instead of 50 from AgentPane's default"
    assert text_of(page, 'data-setting="timeoutMinutes"') == (
        f"Time per run 60 min AgentPane's default 600 min from {at} is ignored: it is more than 60"
    )
    assert "opus from .claude/config.json" in text_of(page, 'data-setting="model"')
    assert f"refuses {at}" in text_of(page, "<td><code>Read(.env)</code>")
    assert "is ignored: only people allow here" in text_of(page, "<td><code>Bash</code>")
    assert "Please &lt;b&gt;do&lt;/b&gt;: {{task.title}}" in page
    assert text_of(page, 'data-prompt="instructions"').startswith(
        "CLAUDE.md 14 characters, told before the first prompt"
    )
    assert "1 thing in the repository needs a look" in page
    assert "odd is ignored: no such setting is known." in page


async def test_a_project_trusts_its_repository_and_takes_that_back(visitor: Visitor, project: ProjectRow) -> None:
    commit(project.root, CLAUDE)
    page = f"/projects/{project.id}/configuration"
    assert (await visitor.send(page, page, trust_repository="true")).headers["location"] == f"{page}?saved=true"
    shown = await visitor.page(f"{page}?saved=true")
    assert "It is saved." in shown
    assert 'name="trust_repository" value="true" checked' in shown
    assert text_of(shown, 'data-setting="model"').startswith("Model opus .claude/config.json")
    assert text_of(shown, 'data-setting="timeoutMinutes"').startswith("Time per run 600 min .claude/config.json")
    # What the settings form does not have, it does not take away.
    settings = f"/projects/{project.id}/settings"
    assert (await visitor.send(settings, settings)).status_code == 303
    assert (await get_project(project.id)).config.trust_repository
    answer = await visitor.post(page, page)
    assert answer.status_code == 303
    assert not (await get_project(project.id)).config.trust_repository


@pytest.mark.parametrize("folder", ["/etc", "../x", "a/../b", ".git", "~/x", "a//b"])
async def test_its_words_lie_in_the_repository(visitor: Visitor, project: ProjectRow, folder: str) -> None:
    page = f"/projects/{project.id}/configuration"
    answer = await visitor.send(page, page, config_path=folder)
    assert answer.status_code == 422
    assert "Give a folder inside the repository, such as .claude." in answer.text
    assert f'value="{folder}"' in answer.text
    assert (await get_project(project.id)).config_path == ".claude"
    assert (await visitor.send(page, page, config_path="tools/agents/")).status_code == 303
    assert (await get_project(project.id)).config_path == "tools/agents"


async def test_a_prompt_is_looked_at_saved_and_reset(visitor: Visitor, project: ProjectRow) -> None:
    task = await queue(project.id, "Say {{task.id}} <i>twice</i>", description="Loudly.")
    page = f"/projects/{project.id}/prompts/task"
    assert "Normalise extras before comparing" in await visitor.page(page)
    written = "Do this: {{task.title}}\n\n{{task.description}}"
    looked = await visitor.send(page, page, template=written, task_id=task.id, button="preview")
    assert looked.status_code == 200
    assert "Do this: Say {{task.id}} &lt;i&gt;twice&lt;/i&gt;\n\nLoudly." in looked.text
    assert f"\n{written}</textarea>" in looked.text
    assert not (await get_project(project.id)).config.prompts.task
    saved = await visitor.send(page, page, template=written, button="save")
    assert saved.headers["location"] == f"{page}?saved=true"
    assert (await get_project(project.id)).config.prompts.task == written
    assert "the project&#39;s settings" in await visitor.page(f"{page}?saved=true")
    assert (await visitor.send(page, page, button="reset")).status_code == 303
    assert not (await get_project(project.id)).config.prompts.task
    assert "It is reset." in await visitor.page(f"{page}?saved=true")


@pytest.mark.parametrize("button", ["save", "preview"])
async def test_what_is_wrong_in_a_prompt_is_named_and_kept(visitor: Visitor, project: ProjectRow, button: str) -> None:
    agent = await add_agent(project.id)
    for page in (f"/projects/{project.id}/prompts/rejection", f"/agents/{agent.id}/prompts/rejection"):
        typed = "Look:\n{{rejection.raeson}}"
        answer = await visitor.send(page, page, template=typed, button=button)
        assert answer.status_code == 422
        shown = html.unescape(answer.text)
        assert "Line 2: there is no {{rejection.raeson}}. Is it {{rejection.reason}}?" in shown
        assert f"\n{typed}</textarea>" in shown
        again = await visitor.send_htmx(page, page, template="", button=button)
        assert (again.status_code, "must be in it." in again.text) == (422, True)
        assert (await visitor.send(page, page, button="burn")).status_code == 422
    assert not (await get_project(project.id)).config.prompts.rejection
    assert (await visitor.get(f"/projects/{project.id}/prompts/nothing")).status_code == 404


async def test_an_agent_has_prompts_of_its_own_and_shows_what_holds(visitor: Visitor, project: ProjectRow) -> None:
    agent = await add_agent(project.id, "bob", max_turns=7)
    page = f"/agents/{agent.id}"
    prompt = f"{page}/prompts/conflict"
    assert (await visitor.send(prompt, prompt, template="Mend {{conflict.files}}")).status_code == 303
    shown = await visitor.page(page)
    assert text_of(shown, 'data-prompt="conflict"') == "With a conflict Mend {{conflict.files}} bob"
    assert text_of(shown, 'data-setting="maxTurns"').startswith("Turns per run 7")
    assert "bob instead of 50 from AgentPane's default" in text_of(shown, 'data-setting="maxTurns"')
    assert (await visitor.send(page, page, name="bobby")).status_code == 303
    assert (await get_agent(agent.id)).config.prompts.conflict == "Mend {{conflict.files}}"


async def test_a_task_says_what_holds_for_it_alone(visitor: Visitor, project: ProjectRow) -> None:
    task = await queue(project.id)
    page = f"/tasks/{task.id}"
    fields = {"max_turns": "9", "model": "haiku", "allowed_tools": "Read, Bash(git log --format=%h,%s)"}
    assert (await visitor.send(page, page, **fields)).status_code == 303
    metadata = (await get_task(task.id)).metadata
    assert (metadata.max_turns, metadata.model, metadata.allowed_tools) == (
        9, "haiku", ("Read", "Bash(git log --format=%h,%s)"),
    )  # fmt: skip
    shown = await visitor.page(f"{page}/configuration")
    assert text_of(shown, 'data-setting="maxTurns"').startswith("Turns per run 9 this task instead of 50")
    assert "this task" in (await visitor.page(page)).split('id="configuration"')[1]
    wrong = await visitor.send(page, page, max_turns="0")
    assert (wrong.status_code, "Choose 1 to 1000." in wrong.text) == (422, True)
    assert (await visitor.send(page, page, max_turns="", model="", allowed_tools="")).status_code == 303
    assert (await get_task(task.id)).metadata.max_turns is None


async def test_a_repository_that_cannot_be_read_is_said(visitor: Visitor, project: ProjectRow) -> None:
    project.root.rename(project.root.with_name("elsewhere"))
    page = await visitor.page(f"/projects/{project.id}/configuration")
    assert "It cannot be read just now, and until it can no agent starts" in page
