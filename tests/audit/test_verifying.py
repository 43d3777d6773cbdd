"""Whoever changes what was written is found out, and the first broken row is named: by page, command and script."""

import json
import re
import sys
from pathlib import Path

import pytest

from app.audit.chain import append_in_lock, head_of
from app.audit.filters import Filter
from app.audit.offline_verify import FORMAT
from app.audit.verifying import Verified, verify
from app.postgres.reading import execute, scalar
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.reviews.approving import approve
from app.reviews.rejecting import reject
from app.runners.base import ToolStarted
from tests.audit.damage import DAMAGES, chain, command, damaged, exported, forged, rewrite, script, write
from tests.visitor import Visitor
from tests.work import begin, call, say
from tests.workshop import MARA, Workshop

#: The last entry of the chain of `worked`.
LAST = 9
#: Where something is done, and the entry that is named then: of two exchanged ones the first.
PLACES = {"first": 1, "middle": 5, "last": LAST}


@pytest.fixture
async def worked(project: ProjectRow) -> ProjectRow:
    """A project with four tool calls."""
    claim = await begin(project.id)
    for number in range(4):
        await call(claim, "Bash", {"command": f"ls {number}"}, str(number), output={"stdout": "a\n"}, duration_ms=5)
    assert (await head_of(project.id)).number == LAST
    return project


async def found(project: ProjectRow) -> tuple[str, int] | None:
    """What is broken first, and where."""
    broken = (await verify(project.id)).broken
    return (broken.what, broken.number) if broken else None


async def test_a_chain_that_nobody_changed_is_whole(
    worked: ProjectRow, database: str, visitor: Visitor, tmp_path: Path
) -> None:
    head = await head_of(worked.id)
    assert await verify(worked.id) == Verified(entries=LAST, number=LAST, hash=head.hash, emptied=0)
    page = await verified_page(visitor, worked)
    assert "The chain is whole: 9 entries." in page
    assert f"{LAST}:{head.hash}" in page
    answer = command(database, tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"  head {LAST}:{head.hash}\n" in answer.stdout
    answer = script(await exported(worked, tmp_path), "--expect", f"{LAST}:{head.hash}")
    assert (answer.returncode, answer.stdout.splitlines()) == (
        0,
        ["The chain is whole: 9 entries.", f"Last entry: {LAST}:{head.hash}"],
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("damage", DAMAGES)
async def test_one_damaged_entry_is_found_and_named(
    damage: str, place: str, worked: ProjectRow, database: str, visitor: Visitor, tmp_path: Path
) -> None:
    number = PLACES[place]
    wanted = number - 1 if (damage, place) == ("reordered", "last") else number
    path = await exported(worked, tmp_path)
    entries = damaged(await chain(worked), damage, number)
    rewrite(path, entries)
    await write(worked, entries)
    name = re.compile(rf"[Ee]ntry {wanted}\b")
    page = await verified_page(visitor, worked)
    assert "The chain is broken." in page
    assert name.search(verdict_on(page)), verdict_on(page)
    answer = command(database, tmp_path, "--project", worked.id)
    assert answer.returncode == 1
    assert name.search(answer.stderr), answer.stderr
    offline = script(path)
    assert offline.returncode == 1
    assert name.search(offline.stdout), offline.stdout
    words = {
        "altered": "not as it was written",
        "removed": "missing|ends before|has no entry|was removed",
        "inserted": "put in later",
        "reordered": "another place",
    }
    for said in (verdict_on(page), answer.stderr, offline.stdout):
        assert re.search(words[damage], said), said


@pytest.mark.parametrize("number", [1, 5, LAST])
async def test_an_entry_that_is_gone_without_its_number_is_missed(
    number: int, worked: ProjectRow, tmp_path: Path
) -> None:
    path = await exported(worked, tmp_path)
    entries = [entry for entry in await chain(worked) if entry.number != number]
    rewrite(path, entries)
    await write(worked, entries)
    assert await found(worked) == ("cut off" if number == LAST else "removed", number)
    answer = script(path)
    assert answer.returncode == 1
    assert re.search(rf"entry {number}\b", answer.stdout, re.IGNORECASE)


@pytest.mark.parametrize("number", [1, 5, LAST])
async def test_lines_of_a_file_that_changed_places_are_named(number: int, worked: ProjectRow, tmp_path: Path) -> None:
    path = await exported(worked, tmp_path)
    entries = await chain(worked)
    first = min(number, LAST - 1)
    entries[first - 1], entries[first] = entries[first], entries[first - 1]
    rewrite(path, entries)
    assert f"Entry {first} stands at another place" in script(path).stdout


@pytest.mark.parametrize("number", [2, 5, LAST])
async def test_an_entry_with_a_new_hash_that_fits_is_named(number: int, worked: ProjectRow, tmp_path: Path) -> None:
    """The entry after it still follows the one that was there; of the last, its tool call's row and the export's head
    know better."""
    path = await exported(worked, tmp_path)
    entries = await chain(worked)
    new = forged(entries[number - 1], content=entries[number - 1].content.replace('"duration":5', '"duration":6'),
                 actor="Somebody else")  # fmt: skip
    entries[number - 1] = new
    rewrite(path, entries)
    await write(worked, entries)
    broken = await found(worked)
    assert broken is not None
    assert broken[1] == number
    offline = script(path)
    assert offline.returncode == 1
    assert re.search(rf"[Ee]ntry {number}\b", offline.stdout), offline.stdout


@pytest.mark.parametrize(
    ("lie", "what"),
    [
        ('UPDATE audit_logs SET input = \'{"command": "ls -a"}\' WHERE id = $1', "its input is another"),
        ("UPDATE audit_logs SET output = NULL, duration = 6 WHERE id = $1", "its output and duration are another"),
        ("UPDATE audit_logs SET error = 'x', status = 'error' WHERE id = $1", "its status and error are another"),
        ("UPDATE audit_logs SET tool = 'Read' WHERE id = $1", "its tool is another"),
        ("UPDATE audit_logs SET timestamp = timestamp - interval '1 day' WHERE id = $1", "its at is another"),
        ("UPDATE audit_logs SET input = 'null', output = NULL WHERE id = $1", "its input is another"),
        ("DELETE FROM audit_logs WHERE id = $1", "is missing"),
    ],
)
@pytest.mark.parametrize("number", [2, 4, 8])
async def test_the_row_of_a_call_is_compared_too(
    number: int, lie: str, what: str, worked: ProjectRow, tmp_path: Path
) -> None:
    subject = (await chain(worked))[number - 1].subject
    await execute(lie, subject)
    broken = (await verify(worked.id)).broken
    assert broken is not None
    assert broken.number in (number, number + 1)
    assert what in broken.sentence
    offline = script(await exported(worked, tmp_path))
    assert (offline.returncode, what in offline.stdout) == (1, True)


async def test_a_call_that_nobody_made_is_found(worked: ProjectRow) -> None:
    await execute(
        "INSERT INTO audit_logs (id, agent_id, agent_run_id, project_id, tool, status, input, turn_number) SELECT"
        " 'x' || id, agent_id, agent_run_id, project_id, tool, status, input, turn_number FROM audit_logs LIMIT 1"
    )
    broken = (await verify(worked.id)).broken
    assert broken is not None
    assert "Entry 10 is missing, or a call was put in later" in broken.sentence


async def test_a_running_call_is_nothing_amiss(project: ProjectRow) -> None:
    claim = await begin(project.id)
    await say(claim, ToolStarted(call_id="1", tool="Bash", input={"command": "sleep 9"}, turn=1))
    assert await found(project) is None


async def test_calls_that_are_older_than_the_chain_stay_counted(worked: ProjectRow) -> None:
    await execute("DELETE FROM audit_chain")
    await call(await begin(worked.id, "Another"), "Bash", {"command": "ls"})
    assert await found(worked) is None
    await execute("DELETE FROM audit_logs WHERE id = (SELECT min(id) FROM audit_logs WHERE timestamp < (SELECT min(at)"
                  " FROM audit_chain))")  # fmt: skip
    assert await found(worked) == ("row missing", 1)


async def test_decisions_note_the_head_so_that_a_cut_and_a_new_chain_are_found(workshop: Workshop) -> None:
    project = workshop.project
    task = await workshop.done("Count", "echo 32 > spokes.txt")
    await reject(task.id, "Again.", MARA)
    task = await workshop.until(task, "waiting_approval")
    await approve(task.id, await workshop.approval(task), MARA)
    assert await found(project) is None
    entries = await chain(project)
    await write(project, entries[:-1])
    assert await found(project) == ("cut off", len(entries))
    anew = [*entries[:-1], forged(entries[-1], content='{"decision":"rejected"}')]
    await write(project, anew)
    assert await found(project) == ("rewritten", len(entries))
    await write(project, entries)
    invented = forged(entries[-1], number=len(entries) + 1, previous_hash=entries[-1].hash, actor="Jo")
    await write(project, [*entries, invented])
    assert await found(project) == ("inserted", len(entries) + 1)


class TestExpecting:
    """A head that was noted elsewhere finds what hashes cannot."""

    async def test_a_chain_that_was_cut_off(self, worked: ProjectRow, database: str, tmp_path: Path) -> None:
        head = await head_of(worked.id)
        await execute("DELETE FROM audit_chain WHERE number > 7")
        await execute("DELETE FROM audit_logs WHERE id NOT IN (SELECT subject_id FROM audit_chain)")
        assert await found(worked) is None
        noted = f"{head.number}:{head.hash[:12]}"
        answer = command(database, tmp_path, "--expect", noted)
        assert (answer.returncode, "ends before entry 8" in answer.stderr) == (1, True)
        offline = script(await exported(worked, tmp_path), "--expect", noted)
        assert (offline.returncode, "ends before entry 8" in offline.stdout) == (1, True)

    async def test_a_chain_that_was_written_anew(self, worked: ProjectRow, database: str, tmp_path: Path) -> None:
        entries, last = await chain(worked), "0" * 64
        anew = []
        for entry in entries:
            anew.append(forged(entry, previous_hash=last, actor="Somebody else"))
            last = anew[-1].hash
        await write(worked, anew)
        assert await found(worked) is None
        noted = f"5:{entries[4].hash}"
        answer = command(database, tmp_path, "--expect", noted)
        assert (answer.returncode, "written anew" in answer.stderr) == (1, True)
        offline = script(await exported(worked, tmp_path), "--expect", noted)
        assert (offline.returncode, "written anew" in offline.stdout) == (1, True)

    async def test_what_is_no_head_is_refused(self, worked: ProjectRow, database: str, tmp_path: Path) -> None:
        answer = command(database, tmp_path, "--expect", "nine")
        assert (answer.returncode, "NUMBER:HASH" in answer.stderr) == (2, True)
        assert script(await exported(worked, tmp_path), "--expect", "9:zz").returncode == 2


class TestTheFile:
    """What a script is given may be anything."""

    async def test_a_filtered_export_says_what_it_cannot_show(self, worked: ProjectRow, tmp_path: Path) -> None:
        path = await exported(worked, tmp_path, Filter(q="ls 2"))
        answer = script(path)
        assert answer.returncode == 0
        assert "Each entry is as it was written: 2 entries." in answer.stdout
        assert "an entry that is missing would not be noticed" in answer.stdout
        head, first, second = path.read_text().splitlines()
        line = json.loads(first)
        line["row"]["input"] = line["row"]["input"].replace("ls 2", "ls 3")
        path.write_text("\n".join([head, json.dumps(line), second]))
        assert "Entry" not in script(path).stdout
        assert "its input is another" in script(path).stdout

    @pytest.mark.parametrize(
        ("text", "code", "said"),
        [
            ("", 2, "Line 1 is not JSON"),
            ("{}\n", 2, "does not begin as an export"),
            ("not JSON\n", 2, "Line 1 is not JSON"),
            ("HEAD\n{}\n", 1, "Line 2 is no entry"),
            ("HEAD\n{\"number\": 1\n", 1, "Line 2 is not JSON"),
            ("HEAD\n[1]\n", 1, "Line 2 is no JSON object"),
        ],
    )  # fmt: skip
    async def test_a_file_that_is_none(self, text: str, code: int, said: str, tmp_path: Path) -> None:
        head = {"format": FORMAT, "project": "p", "number": 0, "hash": "0" * 64, "filter": {}}
        path = tmp_path / "audit.jsonl"
        path.write_text(text.replace("HEAD", json.dumps(head)))
        answer = script(path)
        assert (answer.returncode, said in answer.stdout + answer.stderr) == (code, True), answer


@pytest.mark.parametrize("content", ["no document", "[1, 2]", '{"redacted": "x"}', ""])
async def test_whatever_somebody_writes_into_an_entry_the_pages_show_it(
    content: str, worked: ProjectRow, visitor: Visitor
) -> None:
    async with locked(worked.id):
        await append_in_lock(worked.id, "decision", "t1", {"decision": "approved"}, actor=MARA)
    await execute("UPDATE audit_chain SET content = $1 WHERE number IN (2, 3, 10)", content)
    here = f"/projects/{worked.id}/audit"
    assert "Decision" in await visitor.page(here)
    await visitor.page(f"{here}/entries/10")
    await visitor.page(f"/audit/{(await chain(worked))[1].subject}")
    for export in ("export.csv", "export.jsonl"):
        assert (await visitor.get(f"{here}/{export}")).status_code == 200
    assert await found(worked) == ("altered", 2)


async def test_the_command_tells_scripts_everything(worked: ProjectRow, database: str, tmp_path: Path) -> None:
    (fact,) = json.loads(command(database, tmp_path, "--json").stdout)
    assert (fact["whole"], fact["entries"], fact["broken"]) == (True, LAST, None)
    await execute("UPDATE audit_chain SET content = content || ' ' WHERE number = 3")
    answer = command(database, tmp_path, "--json")
    (fact,) = json.loads(answer.stdout)
    assert (answer.returncode, fact["whole"]) == (1, False)
    assert fact["broken"] == {"what": "altered", "number": 3, "sentence": "Entry 3 is not as it was written."}


async def test_the_page_gives_the_script_and_the_export_that_it_verifies(
    worked: ProjectRow, visitor: Visitor, tmp_path: Path
) -> None:
    answer = await visitor.get("/audit/verify.py")
    assert answer.headers["content-disposition"] == 'attachment; filename="verify.py"'
    (tmp_path / "from_page.py").write_bytes(answer.content)
    export = await visitor.get(f"/projects/{worked.id}/audit/export.jsonl")
    assert export.headers["content-type"] == "application/jsonl"
    path = tmp_path / "audit.jsonl"
    path.write_bytes(export.content)
    assert (tmp_path / "from_page.py").read_text() == Path(sys.modules["app.audit.offline_verify"].__file__).read_text()
    assert script(path).returncode == 0


async def test_the_answer_is_an_event_with_the_head(worked: ProjectRow, visitor: Visitor) -> None:
    await verified_page(visitor, worked)
    head = await head_of(worked.id)
    noted = await scalar("SELECT payload -> 'chain' ->> 'hash' FROM events WHERE kind = 'audit.verified'")
    assert noted == head.hash
    answer = await visitor.send_htmx(f"/projects/{worked.id}/audit", f"/projects/{worked.id}/audit/verify")
    assert 'hx-target="#chain"' in answer.text
    assert "The chain is whole" in answer.text


async def verified_page(visitor: Visitor, project: ProjectRow) -> str:
    """Press the button, and read the page that comes."""
    here = f"/projects/{project.id}/audit"
    answer = await visitor.send(here, f"{here}/verify")
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    return await visitor.page(here)


def verdict_on(page: str) -> str:
    """What the page says of the chain."""
    said = re.search(r'id="chain".*?<strong>(.*?)</strong>', page, re.DOTALL)
    assert said is not None
    return said[1]
