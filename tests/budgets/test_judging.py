"""Each limit, in each span, with each action: what is written down, and what the run is to do."""

import itertools
import math
from datetime import date
from pathlib import Path

import pytest

from app.agents.creating import create_agent
from app.agents.forms import AgentForm
from app.audit.verifying import verify
from app.budgets.forms import BudgetAnswer, PriceForm, TaskBudget
from app.budgets.prices import add_price
from app.budgets.rows import open_alert_of
from app.budgets.setting import set_limits
from app.budgets.spent import spent_by_run, spent_by_task, spent_on
from app.clock import today
from app.errors import Conflict, Invalid
from app.events.reading import of_session
from app.postgres.reading import execute, scalar
from app.projects.rows import ProjectRow
from app.runners.base import Finished, Started, Usage
from app.runs.answering import answer
from app.runs.claiming import claim_next
from app.runs.configured import configured
from app.runs.finishing import finish
from app.runs.pausing import resume
from app.runs.rows import get_run
from app.runs.specifying import limits_of
from app.runs.stopping import request_stop
from app.settings import Settings
from app.tasks.editing import edit_task
from app.tasks.forms import TaskEdit
from app.tasks.rows import get_task
from app.worktrees.rows import get_worktree
from tests.budgets.spending import alerts, at_work, limit, told, usd, use
from tests.visitor import Visitor
from tests.work import MARA, _recorder, begin, end, launch, queue, say

USED = {"tokens": {"tokens": 1000}, "money": {"tokens": 10, "money": 5.0}, "turns": {"turns": 10}}
MOST = {"tokens": 1000, "money": 5.0, "turns": 10, "minutes": 3}
WANTED = {"stop": ("budget", False), "ask": (None, True), "warn": (None, False)}
WRITTEN = {"stop": "stopped", "ask": "open", "warn": "passed"}


@pytest.mark.parametrize("action", ["stop", "ask", "warn"])
@pytest.mark.parametrize(
    ("span", "measure"),
    [("run", "tokens"), ("run", "money"), *itertools.product(("task", "day"), ("turns", "minutes", "tokens", "money"))],
)
async def test_a_limit_is_heeded(project: ProjectRow, span: str, measure: str, action: str) -> None:
    await limit(project.id, **{f"{span}_{measure}": MOST[measure], f"{span}_action": action})
    claim = await at_work(project.id)
    if measure == "minutes":
        await execute("UPDATE agent_runs SET started_at = started_at - interval '3 minutes'")
        await _recorder(claim).accounts.pass_time()
        run = await get_run(claim.run_id)
    else:
        run = await use(claim, **USED[measure])  # type: ignore[arg-type]
    assert (run.stop_requested, run.pause_requested) == WANTED[action]
    (alert,) = await alerts(project.id)
    assert (alert.span, alert.measure, alert.status) == (span, measure, WRITTEN[action])
    assert alert.used >= alert.most == MOST[measure]
    kind = {"stop": "budget.stopped", "ask": "budget.asked", "warn": "budget.warned"}[action]
    assert await scalar("SELECT count(*) FROM events WHERE kind = $1 AND subject = $2", kind, alert.id) == 1
    said = [event.payload["text"] for event in await of_session(claim.session_id, 0) if event.payload.get("budget")]
    assert [alert.line in text for text in said] == [True]
    entry = "question" if action == "ask" else "warning"
    found = "SELECT count(*) FROM audit_chain WHERE kind = $1 AND subject_id = $2"
    assert await scalar(found, entry, alert.id) == 1
    assert (await verify(project.id)).broken is None


async def test_a_warning_comes_once_at_four_fifths(project: ProjectRow) -> None:
    await limit(project.id, run_tokens=1000)
    claim = await at_work(project.id)
    await use(claim, 790)
    assert await alerts(project.id) == []
    await use(claim, 800)
    run = await use(claim, 950)
    assert told(await alerts(project.id)) == [("run", "tokens", "near")]
    assert (run.stop_requested, run.pause_requested) == (None, False)


async def test_turns_and_minutes_of_a_run_ask_where_the_budget_says_so(project: ProjectRow) -> None:
    await limit(project.id, run_action="ask")
    claim = await at_work(project.id)
    assert (await use(claim, turns=49)).pause_requested is False
    assert (await use(claim, turns=50)).pause_requested is True
    assert told(await alerts(project.id)) == [("run", "turns", "near"), ("run", "turns", "open")]


async def test_of_several_runs_at_one_limit_of_the_day_each_sees_what_all_have_used(project: ProjectRow) -> None:
    await limit(project.id, day_tokens=1000, day_action="ask")
    one, other = await at_work(project.id, "One"), await at_work(project.id, "Other")
    assert (await use(one, 600)).pause_requested is False
    assert (await use(other, 500)).pause_requested is True
    assert (await use(one, 601)).pause_requested is True
    first = await open_alert_of(other.run_id)
    assert first is not None
    assert await open_alert_of(one.run_id) is not None
    with pytest.raises(Invalid, match="1,101 tokens are used already"):
        await answer(first.id, BudgetAnswer(decision="raised", most=1101), MARA)
    await answer(first.id, BudgetAnswer(decision="raised", most=2000), MARA)
    for claim in (one, other):
        assert (await get_run(claim.run_id)).pause_requested is False
    assert [each.status for each in await alerts(project.id) if each.status != "near"] == ["raised", "raised"]
    assert (await use(one, 700)).pause_requested is False, "the higher limit holds for the day"


async def test_going_on_this_once_is_for_this_run_alone(project: ProjectRow) -> None:
    await limit(project.id, day_tokens=1000, day_action="ask")
    one, other = await at_work(project.id, "One"), await at_work(project.id, "Other")
    await use(one, 1000)
    alert = await open_alert_of(one.run_id)
    assert alert is not None
    with pytest.raises(Conflict) as refused:
        await resume(await get_run(one.run_id), MARA)
    assert refused.value.code == "BUDGET_ASKED"
    await answer(alert.id, BudgetAnswer(decision="once"), MARA)
    assert (await use(one, 9000)).pause_requested is False
    assert (await use(other, 10)).pause_requested is True
    with pytest.raises(Conflict, match="Mara Lindqvist has answered already") as settled:
        await answer(alert.id, BudgetAnswer(decision="ended"), MARA)
    assert settled.value.code == "BUDGET_SETTLED"


async def test_a_run_that_is_stopped_at_its_limit_says_which(project: ProjectRow) -> None:
    await limit(project.id, task_tokens=1000, task_action="ask")
    claim = await at_work(project.id)
    await use(claim, 1200)
    alert = await open_alert_of(claim.run_id)
    assert alert is not None
    await answer(alert.id, BudgetAnswer(decision="ended"), MARA)
    assert (await get_run(claim.run_id)).stop_requested == "budget"
    await end(claim, "budget")
    run = await get_run(claim.run_id)
    assert run.error == "This task has used 1,200 tokens; the limit is 1,000 tokens."


async def test_a_run_that_ends_takes_its_question_back(project: ProjectRow) -> None:
    await limit(project.id, run_tokens=10, run_action="ask")
    claim = await at_work(project.id)
    await use(claim, 20)
    await request_stop(await get_run(claim.run_id), MARA)
    await end(claim, "stopped")
    assert told(await alerts(project.id)) == [("run", "tokens", "withdrawn")]


async def test_a_run_that_ended_by_itself_was_not_ended_by_its_limit(project: ProjectRow) -> None:
    await limit(project.id, run_tokens=10)
    claim = await at_work(project.id)
    await use(claim, 20)
    await end(claim)
    assert (await get_run(claim.run_id)).status == "completed"
    assert told(await alerts(project.id)) == [("run", "tokens", "passed")]


@pytest.mark.parametrize(("action", "wanted"), WANTED.items())
async def test_what_is_used_up_already_is_noticed_before_the_program_starts(
    project: ProjectRow, action: str, wanted: tuple[str | None, bool]
) -> None:
    await limit(project.id, day_tokens=100, day_action=action)
    first = await at_work(project.id, "First")
    claim = await begin(project.id, "Second")
    await say(first, Usage(input_tokens=100, output_tokens=1))
    words = await launch(claim)
    run = await get_run(claim.run_id)
    assert (run.stop_requested, run.pause_requested) == wanted
    assert (words is None) is (action != "warn")


async def test_a_day_ends_at_midnight_and_a_rest_adds_nothing(
    project: ProjectRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await at_work(project.id)
    yesterday = today()
    await use(claim, 1000, turns=2, money=1.0)
    monkeypatch.setattr("app.budgets.counting.today", lambda: date(2031, 5, 2))
    await use(claim, 1500, turns=5, money=1.75)
    await use(claim, 1500, turns=5, money=1.75)
    first, second = await spent_on(project.id, yesterday), await spent_on(project.id, date(2031, 5, 2))
    assert [(each.tokens, each.turns, each.cost_usd) for each in (first, second)] == [
        (1000, 2, usd("1")), (500, 3, usd("0.75")),
    ]  # fmt: skip
    whole = await spent_by_task(claim.task_id)
    assert (whole.tokens, whole.turns, whole.cost_usd, whole.runs) == (1500, 5, usd("1.75"), 1)


async def test_the_price_table_counts_where_nobody_tells_the_cost(project: ProjectRow) -> None:
    await add_price(PriceForm(pattern="gpt-*", input=2, output=10, cache_read=0.5), MARA)
    try:
        claim = await at_work(project.id)
        await say(
            claim,
            Started(model="gpt-5"),
            Usage(input_tokens=1_000_000, output_tokens=100_000, cache_read_tokens=200_000),
        )
        spent = await spent_by_run(claim.run_id)
        assert (spent.cost_usd, spent.unpriced) == (usd("2.7"), 0)
        await execute("DELETE FROM model_prices")
        await finish(claim, _recorder(claim), Finished(usage=Usage(input_tokens=1_000_000, output_tokens=100_500)))
        spent = await spent_by_run(claim.run_id)
        assert (spent.cost_usd, spent.unpriced_tokens, spent.unpriced) == (usd("2.7"), 500, 1)
    finally:
        await execute("DELETE FROM model_prices")


async def test_what_a_program_does_not_tell_is_unknown_and_its_turns_count(project: ProjectRow) -> None:
    await limit(project.id, task_tokens=1, task_money=0.01, task_turns=4)
    claim = await at_work(project.id)
    run = await use(claim, turns=3)
    spent = await spent_by_task(claim.task_id)
    assert (spent.tokens, spent.cost_usd, spent.silent, run.stop_requested) == (None, None, 1, None)
    assert (await use(claim, turns=4)).stop_requested == "budget"


async def test_a_task_may_say_otherwise(project: ProjectRow) -> None:
    await limit(project.id, run_tokens=1000)
    claim = await at_work(project.id)
    await set_limits(project.id, TaskBudget(run_tokens=5000, run_action="warn"), MARA, task_id=claim.task_id)
    assert (await use(claim, 4999)).stop_requested is None
    assert (await use(claim, 5001)).stop_requested is None
    assert told(await alerts(project.id)) == [("run", "tokens", "near"), ("run", "tokens", "passed")]


async def test_turns_and_minutes_of_a_run_are_of_its_configuration(project: ProjectRow) -> None:
    """Those of agent and task hold; what the budget says is whether they end the run."""
    agent = await create_agent(project.id, AgentForm(name="opus-1", max_turns=7, timeout_minutes=30), MARA)
    claim = await at_work(project.id)
    run, task = await get_run(claim.run_id), await get_task(claim.task_id or "")
    await edit_task(task.id, TaskEdit(title=task.title, timeout_minutes=20), MARA)
    worktree, task = await get_worktree(claim.worktree_id), await get_task(task.id)
    holding = await configured(Settings(data_dir=Path("data")), project, agent, task, worktree)
    limits = await limits_of(holding, agent, run)
    assert (limits["max_turns"], limits["timeout_s"]) == (7, 20 * 60)
    await limit(project.id, run_action="warn")
    limits = await limits_of(holding, agent, run)
    assert (limits["max_turns"], limits["timeout_s"]) == (None, math.inf)


async def test_the_queue_waits_while_the_day_is_used_up(visitor: Visitor, project: ProjectRow) -> None:
    await limit(project.id, day_tokens=1000)
    claim = await at_work(project.id)
    await queue(project.id, "Later")
    board = f"/projects/{project.id}"
    assert "budget is used up" not in await visitor.page(board)
    await use(claim, 1200)
    await end(claim, "budget")
    assert await claim_next(project.id) is None
    assert "budget is used up" in await visitor.page(board)
    await limit(project.id, day_tokens=5000)
    assert await claim_next(project.id) is not None
    assert "budget is used up" not in await visitor.page(board)
