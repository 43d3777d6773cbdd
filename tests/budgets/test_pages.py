"""The pages of budgets, as forms without JavaScript."""

import html

from app.budgets.prices import all_prices
from app.budgets.rows import get_alert, open_alert_of
from app.budgets.setting import said_by
from app.postgres.reading import execute
from app.projects.rows import ProjectRow
from app.runs.rows import get_run
from tests.budgets.spending import alerts, at_work, limit, usd, use
from tests.visitor import Visitor


async def test_the_budgets_of_a_project_are_a_form(visitor: Visitor, project: ProjectRow) -> None:
    page = f"/projects/{project.id}/budgets"
    empty = await visitor.page(page)
    assert "No limit was reached here yet." in empty
    assert "The day is the server's" in html.unescape(empty)
    saved = await visitor.send(page, page, day_tokens="1000000", day_money="12.5", day_action="ask")
    assert (saved.status_code, saved.headers["location"]) == (303, f"{page}?saved=true")
    row = (await said_by(project.id))["day"]
    assert (row.tokens, row.money, row.turns, row.action) == (1_000_000, usd("12.5"), None, "ask")
    again = await visitor.page(f"{page}?saved=true")
    assert "The budget is saved." in again
    assert 'value="12.5"' in again
    assert "<em>of 1,000,000</em>" in again


async def test_a_wrong_limit_comes_back_with_what_was_typed(visitor: Visitor, project: ProjectRow) -> None:
    page = f"/projects/{project.id}/budgets"
    wrong = await visitor.send(page, page, run_tokens="many", task_money="-2", day_turns="7")
    assert wrong.status_code == 422
    assert "Give a whole number." in wrong.text
    assert "Choose 0.01 to 1e+06." in wrong.text
    assert ('value="many"' in wrong.text, 'value="7"' in wrong.text) == (True, True)
    assert await said_by(project.id) == {}


async def test_a_limit_below_what_is_used_must_be_confirmed(visitor: Visitor, project: ProjectRow) -> None:
    await use(await at_work(project.id), 5000)
    page = f"/projects/{project.id}/budgets"
    refused = await visitor.send(page, page, day_tokens="4000", run_tokens="4500")
    text = html.unescape(refused.text)
    assert refused.status_code == 422
    assert "This project has used 5,000 tokens today, so this limit is reached at once." in text
    assert "A run that goes on now has used 5,000 tokens, so this limit is reached at once." in text
    assert 'name="confirm"' in text
    assert await said_by(project.id) == {}
    taken = await visitor.send(page, page, day_tokens="4000", run_tokens="4500", confirm="true")
    assert taken.status_code == 303
    assert (await said_by(project.id))["day"].tokens == 4000
    same = await visitor.send(page, page)
    assert same.status_code == 303, "what was confirmed once is not asked for again"


async def test_an_agent_has_defaults_for_its_runs(visitor: Visitor, project: ProjectRow) -> None:
    await limit(project.id, run_tokens=9000)
    claim = await at_work(project.id)
    page = f"/agents/{claim.agent_id}/budget"
    assert "Otherwise 9,000 tokens" in await visitor.page(page)
    await visitor.send(page, page, run_tokens="20", run_action="warn")
    row = (await said_by(project.id, agent_id=claim.agent_id))["run"]
    assert (row.tokens, row.money, row.action) == (20, None, "warn")
    assert f'href="{page}"' in await visitor.page(f"/agents/{claim.agent_id}")


async def test_a_task_shows_what_it_has_used_and_overrides(visitor: Visitor, project: ProjectRow) -> None:
    claim = await at_work(project.id)
    await use(claim, 1500, turns=2)
    page = f"/tasks/{claim.task_id}/budget"
    shown = html.unescape(await visitor.page(page))
    assert "1,500</span>" in shown
    assert "unknown" in shown, "nobody told what it cost"
    assert "Of 1 of 1 runs of it the cost is not known" in shown
    await visitor.send(page, page, task_tokens="3000", run_money="7", task_action="ask")
    rows = await said_by(project.id, task_id=claim.task_id)
    assert (rows["task"].tokens, rows["task"].action, rows["run"].money) == (3000, "ask", 7)
    assert '<progress class="meter" value="50" max="100"' in await visitor.page(page)
    assert f'href="{page}"' in await visitor.page(f"/tasks/{claim.task_id}")


async def test_a_question_at_a_limit_stands_everywhere_and_is_answered_by_a_form(
    visitor: Visitor, project: ProjectRow
) -> None:
    await limit(project.id, run_tokens=1000, run_action="ask")
    claim = await at_work(project.id)
    await use(claim, 1200)
    alert = await open_alert_of(claim.run_id)
    assert alert is not None
    page = f"/budgets/{alert.id}"
    places = [
        "/", f"/projects/{project.id}", f"/tasks/{claim.task_id}", f"/sessions/{claim.session_id}",
        f"/agents/{claim.agent_id}", f"/projects/{project.id}/budgets",
    ]  # fmt: skip
    for place in places:
        assert f'href="{page}"' in await visitor.page(place), place
    assert 'data-stage="needs_you"' in await visitor.page(f"/projects/{project.id}")
    question = html.unescape(await visitor.page(page))
    assert "This run has used 1,200 tokens; the limit is 1,000 tokens." in question
    low = await visitor.send(page, f"{page}/answer", decision="raised", most="1100")
    assert (low.status_code, "1,200 tokens are used already. Give more than that." in low.text) == (422, True)
    done = await visitor.send(page, f"{page}/answer", decision="raised", most="2000")
    assert (done.status_code, done.headers["location"]) == (303, page)
    assert (await get_run(claim.run_id)).pause_requested is False
    assert "Raised by" in await visitor.page(page)
    late = await visitor.post(f"{page}/answer", page="/", decision="ended")
    assert (late.status_code, "BUDGET_SETTLED" in late.text) == (409, True)
    assert (await get_alert(alert.id)).raised_to == 2000
    audit = await visitor.page(f"/projects/{project.id}/audit?kind=questions")
    assert "limit raised" in audit


async def test_a_card_is_marked_that_comes_near_to_its_limit(visitor: Visitor, project: ProjectRow) -> None:
    await limit(project.id, run_tokens=1000)
    claim = await at_work(project.id)
    await use(claim, 900)
    board = await visitor.page(f"/projects/{project.id}")
    assert "Its run has used most of its budget, or more" in board
    session = await visitor.page(f"/sessions/{claim.session_id}")
    assert 'class="meter meter--near" value="90"' in session
    assert [alert.status for alert in await alerts(project.id)] == ["near"]


async def test_prices_are_added_changed_and_taken_off(visitor: Visitor, project: ProjectRow) -> None:
    try:
        assert "No prices yet" in await visitor.page("/prices")
        await visitor.send("/prices", "/prices", pattern="gpt-*", input="2.5", output="10")
        (price,) = await all_prices()
        assert (price.pattern, price.input, price.cache_read) == ("gpt-*", usd("2.5"), None)
        twice = await visitor.send("/prices", "/prices", pattern="gpt-*", input="1", output="1")
        assert (twice.status_code, "This pattern has a price already." in twice.text) == (422, True)
        wrong = await visitor.send("/prices", f"/prices/{price.id}", input="free")
        assert (wrong.status_code, 'value="free"' in wrong.text, "Give a number." in wrong.text) == (422, True, True)
        await visitor.send("/prices", f"/prices/{price.id}", cache_read="0.25")
        assert (await all_prices())[0].cache_read == usd("0.25")
        await visitor.send("/prices", f"/prices/{price.id}/delete")
        assert await all_prices() == []
    finally:
        await execute("DELETE FROM model_prices")


async def test_what_is_not_there_says_so(visitor: Visitor, project: ProjectRow) -> None:
    for path, code in [("/budgets/zz0", "BUDGET_NOT_FOUND"), ("/budgets/Zz", "INVALID_ID")]:
        assert code in (await visitor.get(path)).text
    gone = await visitor.post("/prices/zz0/delete", page="/prices")
    assert (gone.status_code, "PRICE_NOT_FOUND" in gone.text) == (404, True)
