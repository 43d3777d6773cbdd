"""The demo's agent as a program: every story can be played, and what it prints is understood."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.configuration.templates import DEFAULTS, render
from app.demo.agent import slug
from app.demo.sample import make_sample
from app.demo.stories import FOLDER, ORDER, stories
from app.runners.base import AgentEvent, Message, TextDelta, ToolFinished, ToolStarted
from app.runners.lines import JsonLines, detect
from app.worktrees import naming
from tests.git.repositories import commit, user

PROGRAM = Path(__file__).resolve().parents[2] / "app" / "demo" / "agent.py"
REASON = "Say what happens with 1.250,00,\nplease: <b>prove</b> it."
STUMBLES = "convert-foreign-amounts"


@pytest.fixture
async def sample(tmp_path: Path) -> Path:
    return await make_sample(tmp_path / "pocketbook")


def review_prompt(reason: str) -> str:
    """What an agent is told whose work was sent back."""
    return render(DEFAULTS["rejection"], {"rejection.reason": reason})


def play(folder: Path, name: str, prompt: str, code: int = 0) -> tuple[JsonLines, list[AgentEvent]]:
    """Play one prompt to its end; how the run went, and its events."""
    done = subprocess.run(
        [sys.executable, "-I", PROGRAM, "--pace", "0"], cwd=folder, input=prompt, text=True, capture_output=True,
        env={"PATH": os.environ["PATH"], "AGENTPANE_TASK_ID": "t1", "AGENTPANE_BRANCH": f"agent/abcdef/{name}"},
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    parser = detect(lines[0])
    assert parser is not None
    return parser, [event for line in lines for event in parser.read(line)]


def finish(folder: Path, name: str) -> list[AgentEvent]:
    """Play a story of the board until it ends well."""
    title = stories()[ORDER.index(name)].title
    if name == STUMBLES:
        play(folder, name, title, code=3)
    return play(folder, name, title)[1]


def calls(events: list[AgentEvent]) -> list[tuple[str, str]]:
    """Each tool call with how it ended."""
    ended = {event.call_id: event.status for event in events if isinstance(event, ToolFinished)}
    return [(event.tool, ended[event.call_id]) for event in events if isinstance(event, ToolStarted)]


def test_every_story_is_on_the_board_under_its_branch() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(ORDER)
    assert tuple(naming.slug(story.title) for story in stories()) == ORDER
    assert slug("Größe: a  Title, " + "x" * 80) == naming.slug("Größe: a  Title, " + "x" * 80)


async def test_the_sample_has_history_and_tests_that_pass(sample: Path) -> None:
    assert user(sample, "log", "--format=%an", "--reverse").split("\n") == ["Noa Winter", "Noa Winter", "Ilse Brandt"]
    assert user(sample, "status", "--porcelain") == ""
    _tests_pass(sample)
    tip = user(sample, "rev-parse", "HEAD")
    await make_sample(sample)
    assert user(sample, "rev-parse", "HEAD") == tip


@pytest.mark.parametrize("name", ORDER)
async def test_a_story_is_work_that_holds(sample: Path, name: str) -> None:
    events = finish(sample, name)
    assert {status for tool, status in calls(events) if tool != "Bash"} == {"complete"}
    assert f"changes/{name}.md" in user(sample, "status", "--porcelain", "-uall")
    assert not any(path.name == "__pycache__" for path in sample.rglob("*"))
    _tests_pass(sample)


async def test_it_says_what_it_does_word_by_word_and_counts(sample: Path) -> None:
    parser, events = play(sample, ORDER[0], stories()[0].title)
    said = [event for event in events if isinstance(event, Message)]
    pieces = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert pieces == "".join(message.text for message in said)
    assert parser.model == "demo-script"
    assert parser.native_session_id
    assert parser.result == said[-1].text
    assert parser.usage.input_tokens > 100 < parser.usage.output_tokens
    assert parser.error is None
    assert ("Bash", "error") in calls(events)


async def test_a_rejection_is_honoured_and_quoted(sample: Path) -> None:
    finish(sample, ORDER[0])
    _, events = play(sample, ORDER[0], review_prompt(REASON))
    assert "error" not in [status for _, status in calls(events)]
    record = (sample / f"changes/{ORDER[0]}.md").read_text()
    assert record.endswith("  Asked for: “Say what happens with 1.250,00, please: <b>prove</b> it.”\n")
    assert "the last mark is the decimal one" in (sample / "pocketbook/reading.py").read_text()
    _tests_pass(sample)
    play(sample, ORDER[0], review_prompt("And again."))
    assert "“And again.”" in (sample / f"changes/{ORDER[0]}.md").read_text()


async def test_one_story_fails_at_first_and_goes_on_when_retried(sample: Path) -> None:
    parser, _ = play(sample, STUMBLES, "Convert foreign amounts", code=3)
    assert parser.result is not None
    assert (sample / "pocketbook/rates.py").is_file()
    retried = "Your last run ended early (exit code 3). Go on where you stopped:\n\nConvert foreign amounts\n\nRates."
    parser, _ = play(sample, STUMBLES, retried)
    assert "went on from there" in (parser.result or "")


async def test_a_task_it_does_not_know_becomes_a_note(sample: Path) -> None:
    play(sample, "draw-a-chart", "Draw a chart\n\nOf the year.")
    assert (sample / "notes/draw-a-chart.md").read_text().startswith("# Draw a chart\n\nOf the year.\n")
    play(sample, "draw-a-chart", review_prompt("In colour."))
    assert "“In colour.”" in (sample / "notes/draw-a-chart.md").read_text()
    play(sample, "draw-a-chart", "A message of a person")
    assert "“A message of a person”" in (sample / "notes/draw-a-chart.md").read_text()


@pytest.mark.parametrize("rejected", [False, True], ids=["as they are", "each rejected once"])
async def test_all_stories_merge(sample: Path, rejected: bool) -> None:
    for name in ORDER:
        user(sample, "checkout", "-q", "-b", name, "main")
        finish(sample, name)
        if rejected:
            play(sample, name, review_prompt(REASON))
        commit(sample, {}, name)
    user(sample, "checkout", "-q", "main")
    for name in ORDER:
        user(sample, "merge", "-q", "--no-edit", name)
    _tests_pass(sample)


def _tests_pass(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-B", "-m", "unittest"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"\nRan 0 tests" not in done.stderr
