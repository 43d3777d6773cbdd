"""The audit log: every tool call, filtered, paged, and one in full."""

import re

import pytest

from app.postgres.reading import execute, scalar
from app.projects.rows import ProjectRow
from app.runs.claiming import Claim
from app.worktrees.rows import get_worktree
from tests.visitor import Visitor
from tests.work import add_agent, begin, call, end


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


async def test_every_call_is_listed_newest_first(visitor: Visitor, project: ProjectRow, claim: Claim) -> None:
    page = await visitor.page(f"/projects/{project.id}/audit")
    assert outcomes_on(page) == ["refused", "failed", "ok"]
    assert "3 tool calls" in page
    assert '<code class="clip">src/app.py</code>' in page
    assert '<code class="clip">pytest -q &lt;x&gt;</code>' in page
    assert "https://evil.example/⟨U+202E⟩" in page
    assert "0.3 s" in page
    assert "Fix &lt;the&gt; resolver" in page


async def test_an_empty_log_says_what_it_will_hold(visitor: Visitor, project: ProjectRow) -> None:
    page = await visitor.page(f"/projects/{project.id}/audit")
    assert "No tool calls yet" in page
    assert "0 tool calls" in page


async def test_filters_are_in_the_address(visitor: Visitor, project: ProjectRow, claim: Claim) -> None:
    path = f"/projects/{project.id}/audit"
    page = await visitor.page(f"{path}?tool=Bash")
    assert outcomes_on(page) == ["failed"]
    assert "<option selected>Bash</option>" in page
    assert "<option>Read</option>" in page
    assert outcomes_on(await visitor.page(f"{path}?status=error")) == ["refused", "failed"]
    assert outcomes_on(await visitor.page(f"{path}?tool=Read&status=complete")) == ["ok"]
    nothing = await visitor.page(f"{path}?tool=%3Cscript%3E")
    assert "Nothing here matches" in nothing
    assert "<script>" not in nothing.replace("<script src", "").replace("<script type", "")
    unknown = await visitor.get(f"{path}?status=denied")
    assert (unknown.status_code, 'data-error-code="BAD_REQUEST"' in unknown.text) == (400, True)


async def test_a_long_log_comes_in_pages_and_keeps_its_filter(
    visitor: Visitor, project: ProjectRow, claim: Claim
) -> None:
    await execute(
        "INSERT INTO audit_logs (id, agent_id, agent_run_id, task_id, project_id, tool, status, input, turn_number,"
        " timestamp) SELECT 'x' || lpad(n::text, 3, '0'), agent_id, agent_run_id, task_id, project_id, 'Grep',"
        " 'complete', jsonb_build_object('pattern', 'needle ' || n), 1, timestamp - n * interval '1 second'"
        " FROM audit_logs, generate_series(1, 70) n WHERE tool = 'Read' AND project_id = $1",
        project.id,
    )
    path = f"/projects/{project.id}/audit"
    page = await visitor.page(f"{path}?tool=Grep")
    assert "70 tool calls" in page
    assert re.findall(r"needle (\d+)<", page) == [str(n) for n in range(1, 51)]
    older = re.search(r'href="([^"]*)" rel="next"', page)
    assert older is not None
    page = await visitor.page(path + older[1].replace("&amp;", "&"))
    assert re.findall(r"needle (\d+)<", page) == [str(n) for n in range(51, 71)]


async def test_an_entry_shows_its_whole_input_and_output(visitor: Visitor, project: ProjectRow, claim: Claim) -> None:
    page = await visitor.page(f"/audit/{await entry('Read')}")
    assert "&#34;file_path&#34;: &#34;" in page
    assert "one\ntwo</pre>" in page
    assert f'href="/runs/{claim.run_id}"' in page
    assert f'href="/sessions/{claim.session_id}"' in page
    assert f'href="/tasks/{claim.task_id}"' in page


async def test_an_entry_of_a_failed_and_of_a_refused_call(visitor: Visitor, claim: Claim) -> None:
    failed = await visitor.page(f"/audit/{await entry('Bash')}")
    assert "It failed" in failed
    assert "Exit code 1\nred</pre>" in failed
    refused = await visitor.page(f"/audit/{await entry('WebFetch')}")
    assert "Refused before it ran" in refused
    assert "Not allowed." in refused
    assert "\u202e" not in refused


async def test_a_long_input_is_whole_in_its_entry_and_one_line_in_the_list(
    visitor: Visitor, project: ProjectRow
) -> None:
    await add_agent(project.id)
    claim = await begin(project.id)
    content = "line of a long file\n" * 5_000
    await call(claim, "Write", {"file_path": "long.txt", "content": content}, output={"stdout": "a", "stderr": "b"})
    assert len(await visitor.page(f"/projects/{project.id}/audit")) < 50_000
    page = await visitor.page(f"/audit/{await entry('Write')}")
    assert page.count("line of a long file") == 5_000
    assert "stderr:\nb\n\nstdout:\na</pre>" in page


@pytest.mark.parametrize(
    ("id", "status", "code"), [("abcdefghijklmnopqrstuvwx", 404, "AUDIT_NOT_FOUND"), ("No-Id", 400, "INVALID_ID")]
)
async def test_ids_that_are_not_known_or_not_ids(visitor: Visitor, id: str, status: int, code: str) -> None:
    answer = await visitor.get(f"/audit/{id}")
    assert (answer.status_code, f'data-error-code="{code}"' in answer.text) == (status, True)


async def entry(tool: str) -> str:
    """The id of the one call of a tool."""
    return str(await scalar("SELECT id FROM audit_logs WHERE tool = $1", tool))


def outcomes_on(page: str) -> list[str]:
    """How the calls on a page ended, in their order."""
    return re.findall(r'<a class="row row--link"[^>]* data-status="(\w+)"', page)
