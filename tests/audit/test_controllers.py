"""The audit log: every tool call and every decision, filtered, paged, opened, and taken away."""

import csv
import io
import json
import re
from datetime import datetime, timedelta
from urllib.parse import quote_plus

import pytest

from app.audit.chain import append_in_lock
from app.events.recording import Actor
from app.postgres.reading import execute, scalar
from app.projects.locking import locked
from app.projects.rows import ProjectRow
from app.reviews.approving import approve
from app.reviews.rejecting import reject
from app.runs.claiming import Claim
from app.worktrees.rows import get_worktree
from tests.visitor import Visitor
from tests.work import add_agent, begin, call, end
from tests.workshop import MARA, Workshop


@pytest.fixture
async def claim(project: ProjectRow) -> Claim:
    """A run that called tools: one worked, one failed, one was refused."""
    await add_agent(project.id, "worker-1")
    claim = await begin(project.id, "Fix <the> resolver")
    root = (await get_worktree(claim.worktree_id)).root
    await call(claim, "Read", {"file_path": f"{root}/src/app.py"}, "1", output={"output": "one\ntwo"}, duration_ms=300)
    await call(
        claim, "Bash", {"command": "pytest\n  -q <x>"}, "2", status="error", error="Exit code 1\n\x1b[31mred\x1b[0m"
    )
    await call(claim, "WebFetch", {"url": "https://evil.example/\u202e"}, "3", status="denied", error="Not allowed.")
    await end(claim)
    return claim


@pytest.fixture
def here(project: ProjectRow) -> str:
    """The address of the project's audit log."""
    return f"/projects/{project.id}/audit"


async def test_every_call_is_listed_newest_first(visitor: Visitor, here: str, claim: Claim) -> None:
    page = await visitor.page(here)
    assert outcomes_on(page) == ["refused", "failed", "ok"]
    assert "3 rows" in page
    assert '<code class="clip">src/app.py</code>' in page
    assert '<code class="clip">pytest -q &lt;x&gt;</code>' in page
    assert "https://evil.example/⟨U+202E⟩" in page
    assert "0.3 s" in page
    assert "Fix &lt;the&gt; resolver" in page


async def test_an_empty_log_says_what_it_will_hold(visitor: Visitor, here: str) -> None:
    page = await visitor.page(here)
    assert "Nothing has happened yet" in page
    assert "The chain has not begun." in page
    assert "0 rows" in page
    assert f'action="{here}/verify"' not in page


class TestFilters:
    """What is shown is chosen in the address."""

    @pytest.mark.parametrize(
        ("query", "outcomes"),
        [
            ("tool=Bash", ["failed"]),
            ("status=error", ["refused", "failed"]),
            ("status=failed", ["failed"]),
            ("status=refused", ["refused"]),
            ("status=complete&tool=Read", ["ok"]),
            ("status=running", []),
            ("kind=calls", ["refused", "failed", "ok"]),
            ("kind=decisions", []),
            ("q=TWO", ["ok"]),
            ("q=exit+code", ["failed"]),
            ("q=one%0Atwo", ["ok"]),
            ("q=evil.example", ["refused"]),
            ("q=%25", []),
            ("q=_", ["ok"]),
            ("q=WEB%46etch", ["refused"]),
            ("from=2020-01-01&to=2020-01-02", []),
            ("from=2020-01-01", ["refused", "failed", "ok"]),
            ("tool=%3Cscript%3E", []),
        ],
    )
    async def test_by_one_thing(
        self, query: str, outcomes: list[str], visitor: Visitor, here: str, claim: Claim
    ) -> None:
        page = await visitor.page(f"{here}?{query}")
        assert outcomes_on(page) == outcomes
        assert f"{len(outcomes)} of 3 rows" in page
        assert ("Nothing here matches" in page) == (not outcomes)
        assert "<script>" not in page.replace("<script src", "").replace("<script type", "")

    async def test_by_agent_task_and_run(self, visitor: Visitor, project: ProjectRow, here: str, claim: Claim) -> None:
        other = await begin(project.id, "Another")
        await call(other, "Glob", {"pattern": "*.py"})
        for name, id, other_id in (
            ("agent", claim.agent_id, other.agent_id),
            ("task", str(claim.task_id), str(other.task_id)),
            ("run", claim.run_id, other.run_id),
        ):
            assert len(outcomes_on(await visitor.page(f"{here}?{name}={id}"))) == (4 if id == other_id else 3)
            assert outcomes_on(await visitor.page(f"{here}?{name}={other_id}"))[0] == "ok"
        page = await visitor.page(f"{here}?task={claim.task_id}&run={claim.run_id}")
        assert f'<option value="{claim.task_id}" selected>Fix &lt;the&gt; resolver</option>' in page
        assert f'<input type="hidden" name="run" value="{claim.run_id}">' in page

    async def test_by_day_and_by_moment(self, visitor: Visitor, here: str, claim: Claim) -> None:
        at: datetime = await scalar("SELECT timestamp FROM audit_logs WHERE tool = 'Bash'")
        day = at.astimezone().date()
        assert len(outcomes_on(await visitor.page(f"{here}?from={day}&to={day}"))) == 3
        moment = quote_plus(at.isoformat())
        assert outcomes_on(await visitor.page(f"{here}?from={moment}")) == ["refused", "failed"]
        assert outcomes_on(await visitor.page(f"{here}?to={moment}")) == ["failed", "ok"]
        assert outcomes_on(await visitor.page(f"{here}?from={day + timedelta(days=1)}")) == []

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("status=denied", "Choose one of"),
            ("kind=x", "Choose one of"),
            ("from=yesterday", "Write a day as 2026-11-25"),
            ("to=2026-13-45", "Write a day as 2026-11-25"),
            (f"q={'x' * 201}", "Use at most 200 characters"),
        ],
    )
    async def test_what_cannot_be_read_comes_back_as_it_was_typed(
        self, query: str, said: str, visitor: Visitor, here: str, claim: Claim
    ) -> None:
        answer = await visitor.get(f"{here}?{query}&tool=Bash")
        assert answer.status_code == 422
        assert said in answer.text
        assert '<option value="Bash" selected>' in answer.text
        name, _, typed = query.partition("=")
        assert name not in ("from", "to", "q") or f'value="{typed}"' in answer.text
        assert outcomes_on(answer.text) == []
        for export in ("export.csv", "export.jsonl"):
            assert (await visitor.get(f"{here}/{export}?{query}")).status_code == 422


async def test_a_long_log_comes_in_pages_whose_numbers_stay(
    visitor: Visitor, project: ProjectRow, here: str, claim: Claim
) -> None:
    await more_calls(project, 1, 130)
    page = await visitor.page(f"{here}?tool=Grep")
    # The newest page takes what is left, so that it never has only a few rows.
    assert "Page 2 of 2" in page
    assert needles_on(page) == list(range(130, 50, -1))
    older = re.search(r'href="([^"]*)" rel="next"', page)
    assert older is not None
    first = await visitor.page(here + older[1].replace("&amp;", "&"))
    assert needles_on(first) == list(range(50, 0, -1))
    assert 'href="?tool=Grep" rel="prev"' in first
    await more_calls(project, 131, 170)
    assert needles_on(await visitor.page(f"{here}?tool=Grep&page=1")) == list(range(50, 0, -1))
    assert needles_on(await visitor.page(f"{here}?tool=Grep&page=2")) == list(range(100, 50, -1))
    assert needles_on(await visitor.page(f"{here}?tool=Grep&page=3")) == list(range(170, 100, -1))
    assert needles_on(await visitor.page(f"{here}?tool=Grep&page=99")) == list(range(170, 100, -1))
    assert (await visitor.get(f"{here}?page=-1")).status_code == 400


async def test_what_the_calls_come_to(visitor: Visitor, project: ProjectRow, here: str, claim: Claim) -> None:
    await more_calls(project, 1, 5)
    page = " ".join((await visitor.page(here)).split())
    grep = re.search(r'<tr><th scope="row" class="clip" title="Grep">Grep</th>(.*?)</tr>', page)
    assert grep is not None
    assert re.findall(r">([^<]*)</td>", grep[1]) == ["5", "", "15.0 s", "3.0 s"]
    bash = re.search(r'title="Bash">Bash</th>(.*?)</tr>', page)
    assert bash is not None
    assert re.findall(r">([^<]*)</td>", bash[1]) == ["1", "1", "0.0 s", "—"]
    slowest = re.search(r"<h2>Slowest</h2>(.*?)</section>", page)
    assert slowest is not None
    assert re.findall(r">(needle \d)</a>", slowest[1]) == ["needle 5", "needle 4", "needle 3", "needle 2", "needle 1"]
    assert re.findall(r'<progress class="meter meter--\w+" value="(\d+)" max="8"', page) == ["1", "1"]


async def test_decisions_and_merges_stand_among_the_calls(workshop: Workshop, visitor: Visitor) -> None:
    here = f"/projects/{workshop.project.id}/audit"
    task = await workshop.done("Count the spokes", "echo 32 > spokes.txt")
    await reject(task.id, "Count <again>.", MARA)
    task = await workshop.until(task, "waiting_approval")
    await approve(task.id, await workshop.approval(task), MARA)
    page = await visitor.page(here)
    assert outcomes_on(page) == ["approved", "merged", "rejected"]
    assert "Count &lt;again&gt;." in page
    assert outcomes_on(await visitor.page(f"{here}?kind=merges")) == ["merged"]
    assert outcomes_on(await visitor.page(f"{here}?kind=decisions&q=again")) == ["rejected"]
    assert outcomes_on(await visitor.page(f"{here}?person={quote_plus(MARA.name)}")) == [
        "approved",
        "merged",
        "rejected",
    ]
    assert outcomes_on(await visitor.page(f"{here}?person=Jo")) == []
    assert outcomes_on(await visitor.page(f"{here}?task={task.id}")) == ["approved", "merged", "rejected"]
    assert outcomes_on(await visitor.page(f"{here}?tool=Bash")) == []
    whole = await visitor.page(f"{here}/entries/2")
    assert "&#34;reason&#34;: &#34;Count &lt;again&gt;.&#34;" in whole
    opened = await visitor.get(f"{here}/entries/2", **{"hx-request": "true"})
    assert 'hx-target="#more-2"' in opened.text
    assert "Count &lt;again&gt;." in opened.text
    assert (await visitor.get(f"{here}/entries/99")).status_code == 404


async def test_an_entry_shows_its_whole_input_and_output(visitor: Visitor, claim: Claim) -> None:
    page = await visitor.page(f"/audit/{await entry('Read')}")
    assert "&#34;file_path&#34;: &#34;" in page
    assert "one\ntwo</pre>" in page
    assert f'href="/runs/{claim.run_id}"' in page
    assert f'href="/sessions/{claim.session_id}#e' in page
    assert f'href="/tasks/{claim.task_id}"' in page
    assert re.search(r"#2 <code title=\"\w{64}\">\w{8}</code> follows", page)


async def test_a_row_opens_in_the_list(visitor: Visitor, here: str, claim: Claim) -> None:
    id = await entry("Bash")
    page = await visitor.page(here)
    assert f'hx-get="/audit/{id}" hx-trigger="toggle once"' in page
    assert f'<a href="/audit/{id}">Input and output</a>' in page
    opened = await visitor.get(f"/audit/{id}", **{"hx-request": "true"})
    assert f'hx-target="#more-{id}"' in opened.text
    assert "Exit code 1\nred</pre>" in opened.text


async def test_an_entry_of_a_failed_and_of_a_refused_call(visitor: Visitor, claim: Claim) -> None:
    failed = await visitor.page(f"/audit/{await entry('Bash')}")
    assert "It failed" in failed
    assert "Exit code 1\nred</pre>" in failed
    refused = await visitor.page(f"/audit/{await entry('WebFetch')}")
    assert "Refused before it ran" in refused
    assert "Not allowed." in refused
    assert "\u202e" not in refused


async def test_an_entry_says_what_was_cut(visitor: Visitor, project: ProjectRow) -> None:
    token = "ghp_" + "aB3dE5gH7jK9" * 3
    await call(await begin(project.id), "Bash", {"command": f"echo {token}"}, output={"stdout": token})
    page = await visitor.page(f"/audit/{await entry('Bash')}")
    assert "2 secrets were cut here" in page
    assert page.count("[redacted: GitHub token]") >= 2


async def test_a_long_input_has_parts_in_its_entry_and_one_line_in_the_list(visitor: Visitor, here: str,
                                                                            project: ProjectRow) -> None:  # fmt: skip
    await add_agent(project.id)
    claim = await begin(project.id)
    content = "".join(f"line {number:05} of a long file\n" for number in range(9_000))
    await call(claim, "Write", {"file_path": "long.txt", "content": content}, output={"stdout": "a", "stderr": "b"})
    assert len(await visitor.page(here)) < 60_000
    path = f"/audit/{await entry('Write')}"
    opened = await visitor.get(path, **{"hx-request": "true"})
    assert len(opened.text) < 20_000
    seen, link = "", ""
    for number in range(1, 5):
        page = await visitor.page(path + link)
        assert f"part {number} of 4" in page
        text = re.search(r'<pre class="code code--wrap" tabindex="0">(.*?)</pre>', page, re.DOTALL)
        assert text is not None
        seen += text[1]
        following = re.search(r'href="([^"]*)" rel="next">Next part', page)
        link = following[1] if following else ""
    assert not link
    assert re.findall(r"line (\d{5}) of", seen) == [f"{number:05}" for number in range(9_000)]
    assert "stderr:\nb\n\nstdout:\na</pre>" in page
    assert (await visitor.get(f"{path}?input=0")).status_code == 400
    assert "None." in await visitor.page(f"{path}?output=7")


@pytest.mark.parametrize(
    ("id", "status", "code"), [("abcdefghijklmnopqrstuvwx", 404, "AUDIT_NOT_FOUND"), ("No-Id", 400, "INVALID_ID")]
)
async def test_ids_that_are_not_known_or_not_ids(visitor: Visitor, id: str, status: int, code: str) -> None:
    answer = await visitor.get(f"/audit/{id}")
    assert (answer.status_code, f'data-error-code="{code}"' in answer.text) == (status, True)


class TestExports:
    """What is taken away is what was chosen, whole."""

    async def test_the_spreadsheet_has_a_line_for_each_row(self, visitor: Visitor, here: str, claim: Claim) -> None:
        answer = await visitor.get(f"{here}/export.csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert re.fullmatch(r'attachment; filename="audit-\w+\.csv"', answer.headers["content-disposition"])
        lines = list(csv.DictReader(io.StringIO(answer.text)))
        assert [(line["what"], line["outcome"]) for line in lines] == [
            ("Read", "ok"), ("Bash", "failed"), ("WebFetch", "refused"),
        ]  # fmt: skip
        assert [line["number"] for line in lines] == ["2", "4", "6"]
        assert json.loads(lines[0]["output"]) == {"output": "one\ntwo"}
        assert lines[1]["error"].startswith("Exit code 1\n")
        chosen = await visitor.get(f"{here}/export.csv?status=refused")
        assert [line["what"] for line in csv.DictReader(io.StringIO(chosen.text))] == ["WebFetch"]

    @pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
    async def test_no_cell_is_a_formula(self, cell: str, visitor: Visitor, project: ProjectRow, here: str) -> None:
        claim = await begin(project.id, f"{cell} & co")
        await call(claim, f"{cell} tool", {"command": cell}, status="error", error=f"{cell}!")
        async with locked(project.id):
            content = {"decision": cell, "reason": cell, "title": cell}
            await append_in_lock(project.id, "decision", "t1", content, actor=Actor("person", cell))
        text = (await visitor.get(f"{here}/export.csv")).text
        cells = [each for line in csv.reader(io.StringIO(text, newline="")) for each in line]
        assert f"'{cell}!" in cells
        assert not [each for each in cells if each.startswith(("=", "+", "-", "@", "\t", "\r"))]

    async def test_the_lines_have_the_same_filter(self, visitor: Visitor, here: str, claim: Claim) -> None:
        text = (await visitor.get(f"{here}/export.jsonl?tool=Bash")).text
        head, *lines = map(json.loads, text.splitlines())
        assert head["filter"] == {"tool": "Bash"}
        assert [line["kind"] for line in lines] == ["tool_call", "tool_result"]
        whole = (await visitor.get(f"{here}/export.jsonl")).text.splitlines()
        assert len(whole) == 1 + json.loads(whole[0])["number"] == 8

    async def test_a_long_log_is_sent_whole(
        self, visitor: Visitor, project: ProjectRow, here: str, claim: Claim
    ) -> None:
        await more_calls(project, 1, 250)
        text = (await visitor.get(f"{here}/export.csv")).text
        needles = [line["about"] for line in csv.DictReader(io.StringIO(text)) if line["what"] == "Grep"]
        assert needles == [f"needle {number}" for number in range(1, 251)]


async def more_calls(project: ProjectRow, first: int, last: int) -> None:
    """Calls of Grep for `needle N` that took N seconds, each a second after the one before."""
    await execute(
        "INSERT INTO audit_logs (id, agent_id, agent_run_id, task_id, project_id, tool, status, input, turn_number,"
        " duration, timestamp) SELECT 'x' || lpad(n::text, 3, '0'), agent_id, agent_run_id, task_id, project_id,"
        " 'Grep', 'complete', jsonb_build_object('pattern', 'needle ' || n), 1, n * 1000,"
        " timestamp + n * interval '1 second'"
        " FROM audit_logs, generate_series($2::int, $3::int) n WHERE tool = 'Read' AND project_id = $1",
        project.id,
        first,
        last,
    )


async def entry(tool: str) -> str:
    """The id of the one call of a tool."""
    return str(await scalar("SELECT id FROM audit_logs WHERE tool = $1", tool))


def needles_on(page: str) -> list[int]:
    """The numbers of the needles in the list, in their order."""
    return [int(number) for number in re.findall(r'<code class="clip">needle (\d+)</code>', page)]


def outcomes_on(page: str) -> list[str]:
    """How the rows on a page came out, in their order."""
    return re.findall(r'<details class="row"[^>]* data-status="([\w ]+)"', page)
