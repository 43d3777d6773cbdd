"""Old tool calls are emptied where a project says so: the row stays, and the chain still vouches for the rest."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from app.audit import retaining
from app.audit.chain import parse_moment
from app.audit.retaining import Retention, empty_old_calls
from app.audit.verifying import verify
from app.clock import now
from app.permissions.emptying import empty_questions
from app.permissions.rows import get_permission
from app.postgres.reading import execute, scalar
from app.projects.rows import ProjectRow, get_project
from app.projects.tables import Project
from app.runners.base import ToolStarted
from app.runs import engine as engine_module
from app.runs.claiming import Claim
from tests.audit.damage import exported, script
from tests.permissions.samples import asked, asking_run
from tests.visitor import Visitor
from tests.work import begin, call, say
from tests.workshop import Workshop

SECRET = "what nobody shall read for ever"


async def keeping(project: ProjectRow, days: int | None) -> ProjectRow:
    """The project, which keeps its calls for so many days."""
    config = msgspec.structs.replace(project.config, audit_days=days)
    await Project.update({Project.config: config.to_json()}).where(Project.id == project.id)
    return await get_project(project.id)


@pytest.fixture
async def claim(project: ProjectRow) -> Claim:
    """A run with three calls that have ended, and one that has not."""
    claim = await begin(project.id)
    for number in (1, 2):
        await call(claim, "Bash", {"command": f"echo {SECRET}"}, str(number), output={"stdout": SECRET}, duration_ms=5)
    await call(claim, "Bash", {"command": f"false {SECRET}"}, "3", status="error", error=SECRET)
    await say(claim, ToolStarted(call_id="4", tool="Bash", input={"command": "sleep 9"}, turn=1))
    return claim


async def stored() -> int:
    """How many rows anywhere still have what the calls took and gave."""
    tables = ("audit_logs", "audit_chain", "events", "run_details")
    return sum(
        [await scalar(f"SELECT count(*) FROM {table} x WHERE x::text LIKE '%nobody shall%'") for table in tables]
    )


async def test_without_a_setting_everything_is_kept(project: ProjectRow, claim: Claim) -> None:
    assert project.config.audit_days is None
    assert await empty_old_calls(project, now() + timedelta(days=9_999)) == 0
    assert await stored() > 3


@pytest.mark.parametrize("at_once", [2, 200])
async def test_old_calls_are_emptied_and_everything_still_verifies(
    at_once: int, project: ProjectRow, claim: Claim, visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retaining, "_OLD", retaining._OLD.replace("LIMIT 200", f"LIMIT {at_once}"))
    project = await keeping(project, 30)
    assert await empty_old_calls(project, now() + timedelta(days=29)) == 0
    await execute("UPDATE run_details SET activity = NULL")
    assert await empty_old_calls(project, now() + timedelta(days=31)) == 3
    assert await empty_old_calls(project, now() + timedelta(days=32)) == 0
    assert await stored() == 0
    # The rows are there, with everything else; the call that has not ended is whole.
    assert await scalar("SELECT count(*) FROM audit_logs WHERE duration = 5 AND status = 'complete'") == 2
    assert await scalar("SELECT input ->> 'command' FROM audit_logs WHERE status = 'pending'") == "sleep 9"
    verified = await verify(project.id)
    assert (verified.broken, verified.emptied) == (None, 6)
    answer = script(await exported(project, tmp_path))
    assert answer.returncode == 0
    assert "The calls of 6 of them were emptied" in answer.stdout
    entries = await scalar("SELECT count(*) FROM audit_chain WHERE kind = 'retention'")
    assert entries == (2 if at_once == 2 else 1)
    page = await visitor.page(f"/projects/{project.id}/audit?kind=retention")
    assert "Retention" in page
    id = await scalar("SELECT id FROM audit_logs WHERE status = 'error'")
    assert "were emptied after the time that the project keeps them" in await visitor.page(f"/audit/{id}")
    session = await visitor.page(f"/sessions/{claim.session_id}")
    assert session.count("Emptied after the time that the project keeps it.") == 3
    assert "sleep 9" in session


async def test_a_question_for_a_call_is_emptied_with_it(project: ProjectRow, visitor: Visitor) -> None:
    claim = await asking_run(project.id)
    await call(claim, "Bash", {"command": f"echo {SECRET}"})
    request = await asked(claim, command=f"echo {SECRET}")
    audit_id = await scalar("SELECT id FROM audit_logs")
    await execute("UPDATE permission_requests SET audit_id = $1", audit_id)
    later = now() + timedelta(days=31)
    assert await empty_old_calls(await keeping(project, 30), later, also=empty_questions) == 1
    assert (await get_permission(request.id)).input == {}
    assert (await visitor.get(f"/permissions/{request.id}")).status_code == 200


class TestTampering:
    """Emptying is allowed up to the day that the chain names, and altering never."""

    async def test_a_call_emptied_by_somebody_is_found(self, project: ProjectRow, claim: Claim, tmp_path: Path) -> None:
        project = await keeping(project, 30)
        await empty_old_calls(project, now() + timedelta(days=30) - timedelta(hours=1))
        await execute("UPDATE audit_logs SET input = 'null', output = NULL WHERE status = 'complete'")
        broken = (await verify(project.id)).broken
        assert broken is not None
        assert "its input is another" in broken.sentence
        assert script(await exported(project, tmp_path)).returncode == 1

    async def test_an_old_call_that_was_altered_is_found(
        self, project: ProjectRow, claim: Claim, tmp_path: Path
    ) -> None:
        project = await keeping(project, 30)
        await empty_old_calls(project, now() + timedelta(days=31))
        await execute("UPDATE audit_logs SET output = '{\"stdout\": \"all well\"}' WHERE status = 'complete'")
        broken = (await verify(project.id)).broken
        assert broken is not None
        assert "The tool call of entry 2 was altered" in broken.sentence
        offline = script(await exported(project, tmp_path))
        assert (offline.returncode, "The tool call of entry 2 was altered" in offline.stdout) == (1, True)

    async def test_so_is_its_duration(self, project: ProjectRow, claim: Claim) -> None:
        project = await keeping(project, 30)
        await empty_old_calls(project, now() + timedelta(days=31))
        await execute("UPDATE audit_logs SET duration = 6 WHERE status = 'complete'")
        broken = (await verify(project.id)).broken
        assert broken is not None
        assert "its duration is another" in broken.sentence


async def test_a_round_comes_once_in_an_hour(
    project: ProjectRow, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keeping(project, 30)
    later = now() + timedelta(days=31)
    monkeypatch.setattr(retaining, "now", lambda: later)
    retention = Retention()
    assert await retention.round() == 3
    await call(claim, "Bash", {"command": "ls"}, "5")
    assert await retention.round() == 0
    monkeypatch.setattr(retaining, "EACH_S", 0.0)
    assert await Retention().round() == 1


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server for which every day is a moment."""
    monkeypatch.setattr(engine_module, "TICK_S", 0.05)
    monkeypatch.setattr(retaining, "EACH_S", 0.0)
    monkeypatch.setattr(retaining, "now", lambda: datetime.now(UTC) + timedelta(days=31))


async def test_a_server_at_work_empties_what_is_too_old(restless: None, workshop: Workshop) -> None:
    project = await workshop.configure(audit_days=30)
    lines = [
        {"type": "system", "subtype": "init", "session_id": "n1", "model": "m"},
        {"type": "assistant", "message": {"id": "m1", "content": [
            {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": f"echo {SECRET}"}}]}},
        {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "content": SECRET}]}},
    ]  # fmt: skip
    program = f"for line in {[json.dumps(line) for line in lines]!r}: print(line, flush=True)\n"
    await workshop.task("Count", agent=await workshop.python_agent("bob", program))

    async def emptied() -> bool:
        return bool(await scalar("SELECT count(*) FROM events WHERE kind = 'audit.emptied'"))

    await workshop.once(emptied, "the call is emptied")
    assert await scalar("SELECT count(*) FROM audit_logs WHERE input = 'null'") == 1
    before = await scalar("SELECT payload ->> 'before' FROM events WHERE kind = 'audit.emptied'")
    assert parse_moment(before) > await scalar("SELECT timestamp FROM audit_logs")
    assert (await verify(project.id)).broken is None
