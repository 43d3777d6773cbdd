"""The forms of the session page, with JavaScript off and with htmx."""

import pytest

from app.errors import Conflict
from app.projects.rows import ProjectRow
from app.runners.base import Message, ToolFinished, ToolStarted
from app.sessions.messaging import send
from app.sessions.opening import close
from app.sessions.rows import get_session, queued_messages
from app.tasks.rows import get_task
from tests.visitor import Visitor
from tests.work import begin, say
from tests.workshop import MARA, Workshop

HOLD = "echo x > held; while [ ! -e release ]; do sleep 0.02; done"


@pytest.fixture
async def here(workshop: Workshop) -> str:
    """The address of a session in which an agent is at work."""
    task = await workshop.task("Count", agent=await workshop.agent("bob", HOLD))
    await workshop.file("*/held")
    await workshop.until(task, "running")
    return f"/sessions/{(await get_task(task.id)).session_id}"


def id_of(here: str) -> str:
    return here.rpartition("/")[2]


async def test_a_message_is_queued_shown_and_taken_back(visitor: Visitor, here: str) -> None:
    answer = await visitor.send(here, f"{here}/messages", text="And the <i>hub</i>?")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{here}#end")
    (message,) = await queued_messages(id_of(here))
    page = await visitor.page(here)
    assert "And the &lt;i&gt;hub&lt;/i&gt;?" in page
    answer = await visitor.send(here, f"{here}/messages/{message.id}/withdraw")
    assert answer.status_code == 303
    assert await queued_messages(id_of(here)) == []
    again = await visitor.post(f"{here}/messages/{message.id}/withdraw", here)
    assert again.status_code == 404


async def test_with_htmx_the_composer_comes_back_empty_with_the_queue(visitor: Visitor, here: str) -> None:
    answer = await visitor.send_htmx(here, f"{here}/messages", text="And the hub?")
    assert answer.status_code == 200
    assert 'hx-target="#composer"' in answer.text
    assert "And the hub?" in answer.text
    assert ">\n</textarea>" in answer.text


@pytest.mark.parametrize("text", ["", "  \r\n ", "x" * 20_001])
async def test_a_message_outside_of_the_limits_comes_back_with_what_was_typed(
    visitor: Visitor, here: str, text: str
) -> None:
    for sending in (visitor.send, visitor.send_htmx):
        answer = await sending(here, f"{here}/messages", text=text)
        assert answer.status_code == 422
        assert 'id="composer-error"' in answer.text
        assert text.strip() in answer.text
    assert await queued_messages(id_of(here)) == []


async def test_a_session_with_a_live_agent_is_not_closed(visitor: Visitor, here: str) -> None:
    answer = await visitor.post(f"{here}/close", here)
    assert answer.status_code == 409
    assert 'data-error-code="AGENT_ALREADY_RUNNING"' in answer.text
    assert (await get_session(id_of(here))).is_active


async def test_a_closed_session_keeps_its_record_and_takes_no_message(
    visitor: Visitor, here: str, workshop: Workshop
) -> None:
    (next((workshop.root / ".worktrees").glob("*")) / "release").touch()
    session = await get_session(id_of(here))
    await workshop.until(await get_task(session.task_id), "waiting_approval")
    await close(session.id, MARA)
    with pytest.raises(Conflict):
        await send(session.id, "Hello?", MARA)
    page = await visitor.page(here)
    assert "This session is closed. Its record stays." in page
    assert f'action="{here}/messages"' not in page
    answer = await visitor.post(f"{here}/messages", here, text="Hello?")
    assert answer.status_code == 409
    assert 'data-error-code="SESSION_CLOSED"' in answer.text


async def test_a_waiting_message_is_changed_in_its_own_form(visitor: Visitor, here: str) -> None:
    await send(id_of(here), "Count the hub.", MARA)
    (message,) = await queued_messages(id_of(here))
    edit = f"{here}/messages/{message.id}/edit"
    assert f'action="{edit}"' in await visitor.page(here)
    answer = await visitor.send(here, edit, text="Count the <b>rim</b>.")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{here}#end")
    assert "Count the &lt;b&gt;rim&lt;/b&gt;." in await visitor.page(here)
    answer = await visitor.send_htmx(here, edit, text="Count all.")
    assert (answer.status_code, "Count all." in answer.text) == (200, True)


@pytest.mark.parametrize("text", ["", " \r\n", "x" * 20_001])
async def test_a_change_outside_of_the_limits_comes_back_open_with_what_was_typed(
    visitor: Visitor, here: str, text: str
) -> None:
    await send(id_of(here), "Count the hub.", MARA)
    (message,) = await queued_messages(id_of(here))
    for sending in (visitor.send, visitor.send_htmx):
        answer = await sending(here, f"{here}/messages/{message.id}/edit", text=text)
        assert answer.status_code == 422
        assert f'id="queued-{message.id}-edit" open' in answer.text
        assert text.strip() in answer.text
    assert [each.text for each in await queued_messages(id_of(here))] == ["Count the hub."]


async def test_to_tell_it_at_once_is_offered_only_where_the_program_listens(visitor: Visitor, here: str) -> None:
    await send(id_of(here), "Hurry.", MARA)
    (message,) = await queued_messages(id_of(here))
    now = f"{here}/messages/{message.id}/send"
    assert now not in await visitor.page(here)  # A command does not.
    answer = await visitor.post(now, here)
    assert answer.status_code == 409
    assert "takes no messages while it works" in answer.text
    assert (await visitor.post(f"{here}/messages/nothing/send", here)).status_code == 404


async def test_the_page_says_where_secrets_were_cut(visitor: Visitor, project: ProjectRow) -> None:
    claim, token = await begin(project.id), "ghp_" + "aB3dE5gH7jK9" * 3
    await say(
        claim,
        Message(message_id="m1", text=f"I found {token}."),
        ToolStarted(call_id="1", tool="Bash", input={"command": f"echo {token}"}, turn=1),
        ToolFinished(call_id="1", status="complete", output={"stdout": token}),
    )
    page = await visitor.page(f"/sessions/{claim.session_id}")
    assert "1 secret was cut here" in page
    assert "2 secrets were cut here" in page
    assert page.count("[redacted: GitHub token]") >= 3
    assert token not in page
