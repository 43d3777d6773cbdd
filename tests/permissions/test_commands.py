"""A command asks as the other runners do: a script by the hook that it is given, `claude -p` by its own."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.events.reading import of_session
from app.permissions.rows import PermissionRow, get_permission
from app.postgres.reading import scalar
from app.processes import trees
from app.runners.claude.program import find_claude
from app.runs.engine import Engine
from app.runs.outlasting import ASK_AGAIN
from app.runs.rows import get_run
from app.tasks.queries import task_page
from app.tasks.rows import TaskRow, get_task
from tests.permissions.asking import last_run, question, say, tags, tags_now
from tests.permissions.test_outlasting import start, waits_again
from tests.programs.known import CODEX, environment
from tests.scripted_model import ScriptedModel
from tests.workshop import MARA, Workshop

#: Makes its two calls one after the other, and says what it was told.
TAGS = """
prompt=$(cat)
printf '%s' "$prompt" > prompt.txt
for tag in one two; do
  if refusal=$(printf '{"tool_name": "Bash", "tool_input": {"command": "echo %s >> tags.txt"}}' $tag | "$AGENTPANE_ASK" 2>&1 >/dev/null)
  then echo $tag >> tags.txt
  else echo "Told: $refusal" | tee -a told.txt
  fi
done
"""  # noqa: E501


async def asking_command(workshop: Workshop, command: str = "", rules: str = "Bash(echo*)", **fields: str) -> TaskRow:
    """A task whose command asks for each of its calls."""
    if not command:
        script = workshop.folder / "tags.sh"
        script.write_text(TAGS)
        command = f"sh {shlex.quote(str(script))}"
    form = AgentForm(name="script-1", runner="command", command=command, permissions_ask=rules, **fields)  # type: ignore[arg-type]
    agent = await create_agent(workshop.project.id, form, MARA)
    return await workshop.task("Tag the release", agent=agent, description="SCENARIO:tags")


async def audited(request: PermissionRow) -> list[str]:
    """The audit log of a run: what was called, and what became of it."""
    found = await scalar(
        "SELECT json_agg(concat_ws(' ', input ->> 'command', status, error)) FROM audit_logs WHERE agent_run_id = $1",
        request.run_id,
    )
    return sorted(json.loads(found))


async def test_a_script_waits_and_runs_what_is_allowed_and_not_what_is_denied(workshop: Workshop) -> None:
    task = await asking_command(workshop)
    first = await question(workshop, task)
    assert (first.tool, first.input, first.rule) == ("Bash", {"command": "echo one >> tags.txt"}, "Bash(echo*)")
    page = await task_page(await get_task(task.id))
    assert (page.stage, page.primary.path if page.primary else "") == ("needs_you", f"/permissions/{first.id}")
    assert tags_now(workshop) == ""
    await say(first, "allowed")
    second = await question(workshop, task, other_than=first)
    assert tags_now(workshop) == "one\n"
    await say(second, "denied", "One is enough.")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "one"
    refused = "Mara Lindqvist refused this call: One is enough."
    assert (await last_run(workshop, task)).result == f"Told: {refused}"
    assert await audited(first) == ["echo one >> tags.txt complete", f"echo two >> tags.txt error {refused}"]


async def test_what_is_above_its_ceiling_is_in_the_audit_log_too(workshop: Workshop) -> None:
    task = await asking_command(workshop, rules="", allowed_tools=("Read",))
    task = await workshop.until(task, "waiting_approval")
    run = await last_run(workshop, task)
    refused = "Bash is not among this agent's allowed tools (Read)."
    assert await scalar("SELECT count(*) FROM audit_logs WHERE agent_run_id = $1 AND error = $2", run.id, refused) == 2


async def test_it_outlasts_its_server_and_begins_anew_with_all_that_went_before(
    workshop: Workshop, engine: Engine
) -> None:
    task = await asking_command(workshop)
    before = await question(workshop, task)
    await engine.stop()
    run = await get_run(before.run_id)
    assert (run.rests, run.error_type, trees.find_marked(run.id)) == (True, None, [])
    assert (await task_page(await get_task(task.id))).stage == "needs_you"
    await start(engine)
    asked = await waits_again(workshop, before)
    assert (asked.status, asked.asked_at, asked.audit_id != before.audit_id) == ("open", before.asked_at, True)
    prompt = next(workshop.root.glob(".worktrees/*/prompt.txt")).read_text()
    assert prompt.startswith("Tag the release")
    assert "You go on with work that was begun before." in prompt
    assert prompt.endswith(f"# Now\n\n{ASK_AGAIN.format(tool='Bash')}")
    await say(asked, "allowed_for_task")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "one\ntwo"
    assert [each.id for each in await workshop.runs(task)] == [asked.run_id]


async def test_an_answer_that_came_meanwhile_counts_although_earlier_calls_are_made_anew(
    workshop: Workshop, engine: Engine
) -> None:
    task = await asking_command(workshop)
    first = await question(workshop, task)
    await say(first, "allowed")
    second = await question(workshop, task, other_than=first)
    await engine.stop()
    await start(engine)
    again = await question(workshop, task, other_than=second)
    assert again.input == first.input, "it was used up, so it is asked for once more"
    assert (await get_permission(second.id)).status == "open"
    await say(second, "denied", "Not this one.")
    await say(again, "allowed")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "one\none"
    assert (await get_permission(second.id)).taken_at is not None
    assert await scalar("SELECT count(*) FROM permission_requests") == 3


@pytest.fixture
def claude(claude_home: ScriptedModel) -> tuple[str, ScriptedModel]:
    """Claude Code as a command, and the model that it asks."""
    program = find_claude({"ANTHROPIC_API_KEY": "x"}).program
    return f"{shlex.quote(program)} -p --output-format stream-json --verbose {{prompt}}", claude_home


async def test_claude_as_a_command_asks_by_its_own_hook(workshop: Workshop, claude: tuple[str, ScriptedModel]) -> None:
    command, model = claude
    settings = workshop.folder / "settings.json"
    settings.write_text(json.dumps({"env": {"FROM_SETTINGS": "yes"}, "disableAllHooks": True}))
    task = await asking_command(workshop, f"{command} --settings {shlex.quote(str(settings))}")
    first = await question(workshop, task)
    assert first.input["command"] == "echo one >> tags.txt"
    await say(first, "denied", "Use a signed tag.")
    await say(await question(workshop, task, other_than=first), "allowed")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "two"
    refused = "Mara Lindqvist refused this call: Use a signed tag."
    assert [refused in asked.told for asked in model.asked if asked.results == 1] == [True]
    assert await audited(first) == [f"echo one >> tags.txt error {refused}", "echo two >> tags.txt complete"]
    told = [event.kind for event in await of_session(first.session_id, 0) if event.kind in ("tool_call", "tool_result")]
    assert told == ["tool_call", "tool_result"] * 2, "each call is told once, whoever told it first"


async def test_codex_asks_by_its_own_hook_and_tells_each_call_once(
    workshop: Workshop, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in environment(scripted_model.url, tmp_path / "home", [CODEX]).items():
        monkeypatch.setenv(name, value)
    task = await asking_command(workshop, CODEX.command)
    first = await question(workshop, task)
    assert (first.tool, first.input) == ("Bash", {"command": "echo one >> tags.txt"})
    await say(first, "denied", "Use a signed tag.")
    await say(await question(workshop, task, other_than=first), "allowed")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "two"
    refused = "Mara Lindqvist refused this call: Use a signed tag."
    assert [refused in asked.told for asked in scripted_model.asked if asked.results == 1] == [True]
    assert await audited(first) == [f"echo one >> tags.txt error {refused}", "echo two >> tags.txt complete"]


async def test_claude_as_a_command_asks_again_after_a_restart(
    workshop: Workshop, engine: Engine, claude: tuple[str, ScriptedModel]
) -> None:
    command, model = claude
    task = await asking_command(workshop, command)
    before = await question(workshop, task)
    await engine.stop()
    await start(engine)
    asked = await waits_again(workshop, before)
    assert "SCENARIO:tags" in model.asked[-1].heard
    assert ASK_AGAIN.format(tool="Bash") in model.asked[-1].heard
    await say(asked, "allowed_for_task")
    task = await workshop.until(task, "waiting_approval")
    assert tags(workshop, task) == "one\ntwo"
    run = await last_run(workshop, task)
    assert run.token_output_count == 3 * 42
    assert run.turn_count in (3, 4), (
        "its hook may ask before it has printed its first answer, which is then not counted"
    )


async def test_a_repository_cannot_turn_the_hook_off(workshop: Workshop, claude: tuple[str, ScriptedModel]) -> None:
    folder: Path = workshop.root / ".claude"
    folder.mkdir()
    document: Mapping[str, object] = {"disableAllHooks": True, "permissions": {"allow": ["Bash"]}}
    (folder / "settings.json").write_text(json.dumps(document))
    from tests.git.repositories import user

    user(workshop.root, "add", ".")
    user(workshop.root, "commit", "-qm", "Settings")
    task = await asking_command(workshop, claude[0])
    asked = await question(workshop, task)
    assert tags_now(workshop) == ""
    await say(asked, "allowed_for_task")
    await workshop.until(task, "waiting_approval")
