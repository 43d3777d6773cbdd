"""An agent that does not remember what went before is told it."""

from pathlib import Path

import pytest

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.events.reading import of_session
from app.projects.rows import ProjectRow
from app.reviews.rejecting import reject
from app.runs.retelling import retold
from app.runs.rows import get_run
from app.tasks.rows import TaskRow
from tests.scripted_model import ScriptedModel
from tests.scripted_model.fixture import *  # noqa: F403
from tests.work import begin
from tests.workshop import MARA, Workshop

#: Keeps what it was asked, writes a file, and says what it did.
WRITER = """
n=$(ls ../asked-* 2>/dev/null | wc -l); cat > "../asked-$n.txt"
echo "spoke $n" >> spokes.txt; echo "I wrote spoke $n."
"""


async def notices(task: TaskRow) -> list[str]:
    return [event.payload["text"] for event in await of_session(task.session_id, 0) if event.kind == "status"]


async def test_a_command_is_told_the_task_its_answers_and_its_changes(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", WRITER)
    task = await workshop.task("Count the spokes", agent=bob, description="All of them.")
    task = await workshop.until(task, "waiting_approval")
    asked = workshop.root / ".worktrees"
    assert (asked / "asked-0.txt").read_text() == "Count the spokes\n\nAll of them."
    await reject(task.id, "One is missing.", MARA)
    await workshop.until(task, "waiting_approval")
    told = (asked / "asked-1.txt").read_text()
    assert told.index("## Asked\n\nCount the spokes") < told.index("## Answered\n\nI wrote spoke 0.")
    assert "A spokes.txt" in told
    assert "+spoke 0" in told
    assert told.endswith("One is missing.")


async def test_long_texts_and_large_diffs_are_cut(workshop: Workshop) -> None:
    script = WRITER + "seq 100000 > many.txt; printf 'x%.0s' $(seq 5000)"
    task = await workshop.task("Count", agent=await workshop.agent("bob", script), description="y" * 4_000)
    await workshop.until(task, "waiting_approval")
    await reject(task.id, "Again.", MARA)
    await workshop.until(task, "waiting_approval")
    told = (workshop.root / ".worktrees" / "asked-1.txt").read_text()
    assert "more characters]" in told
    assert "The rest of the diff is left out" in told
    assert len(told) < 32_000


@pytest.fixture
async def done(
    workshop: Workshop, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> TaskRow:
    """A task that a Claude has done."""
    (tmp_path / "home").mkdir()
    for name, value in {**scripted_model.env, "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    bob = await create_agent(workshop.project.id, AgentForm(name="bob"), MARA)
    task = await workshop.task("Greet", agent=bob, description="SCENARIO:journey")
    return await workshop.until(task, "waiting_approval")


async def test_a_conversation_that_the_program_does_not_know_any_more_is_told_anew(
    workshop: Workshop, scripted_model: ScriptedModel, done: TaskRow, tmp_path: Path
) -> None:
    for transcript in (tmp_path / "home" / ".claude" / "projects").rglob("*.jsonl"):
        transcript.unlink()
    await reject(done.id, "Say it to Jo.", MARA)
    task = await workshop.until(done, "waiting_approval")
    told = scripted_model.asked[-1].prompt
    assert "+hello from the scripted model" in told
    assert "Say it to Jo." in told
    assert any("not known any more" in text for text in await notices(task))


async def test_what_the_run_itself_was_asked_first_is_told_where_it_is_asked_something_else_by_now(
    project: ProjectRow,
) -> None:
    claim = await begin(project.id, "Count the spokes")
    asked = (await get_run(claim.run_id)).prompt
    assert f"## Asked\n\n{asked}\n\n## Answered\n\n(not yet)" in await retold(claim, "And the hub?")
    assert "## Asked" not in await retold(claim, asked)
