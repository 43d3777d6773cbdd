"""What can be asked of a server, each a verb of the application with what its form brings."""

from app.agents.creating import create_agent, delete_agent
from app.agents.forms import AgentForm
from app.agents.rows import AgentType, get_agent
from app.board.controllers import move_card
from app.events.recording import Actor
from app.reviews import approving, rejecting, resolving, undoing
from app.reviews.comparing import compare
from app.reviews.forms import Approval
from app.runners.base import AgentEvent, ErrorType, Finished, Message, TextDelta, ToolFinished, ToolStarted
from app.runs import background, cancelling, chatting, interrupted, pausing, retrying, stopping, submitting
from app.runs.engine import Engine
from app.runs.rows import get_run
from app.sessions import messaging, opening, queueing
from app.sessions.standalone import standalone
from app.tasks import editing, starting
from app.tasks.creating import create_task
from app.tasks.forms import Move, NewTask, TaskEdit
from app.tasks.rows import Column, get_task
from app.worktrees import restoring
from app.worktrees.removing import remove_by_hand
from tests.lifecycles.puppets import PuppetRunner

MARA = Actor("person", "Mara Lindqvist")
_server: dict[str, object] = {}


def begin(engine: Engine, puppets: PuppetRunner) -> None:
    """What the commands of this process act on."""
    _server.update(engine=engine, puppets=puppets)


async def add_agent(project_id: str, name: str, kind: AgentType = "task") -> None:
    """A puppet of some kind."""
    prompt = "Watch" if kind == "background" else None
    await create_agent(project_id, AgentForm(name=name, type=kind, prompt=prompt), MARA)


async def remove_agent(agent_id: str) -> None:
    """Delete an agent."""
    await delete_agent(agent_id, MARA)


async def add_task(project_id: str, title: str, start: bool, agent_id: str | None) -> None:
    """A new card."""
    await create_task(project_id, NewTask(title=title, start=start, agent_id=agent_id), MARA)


async def start(task_id: str, position: int | None) -> None:
    """Into the queue."""
    await starting.start(task_id, actor=MARA, position=position)


async def edit(task_id: str, title: str, agent_id: str | None) -> None:
    """Another title, another agent."""
    await editing.edit_task(task_id, TaskEdit(title=title, agent_id=agent_id), MARA)


async def delete(task_id: str) -> None:
    """Delete a card."""
    await editing.delete_task(task_id, MARA)


async def move(task_id: str, column: Column, position: int | None) -> None:
    """Drag a card."""
    await move_card(await get_task(task_id), Move(column=column, position=position), MARA)


async def cancel(task_id: str, discard: bool) -> None:
    """Back to Backlog."""
    await cancelling.cancel(task_id, actor=MARA, discard=discard)


async def submit(task_id: str) -> None:
    """Hand in what is there."""
    await submitting.submit(task_id, actor=MARA)


async def stop(run_id: str) -> None:
    """Ask for the end of a run."""
    await stopping.request_stop(await get_run(run_id), MARA)


async def pause(run_id: str) -> None:
    """Let a run rest."""
    await pausing.request_pause(await get_run(run_id), MARA)


async def resume(run_id: str, text: str) -> None:
    """Let it go on."""
    await pausing.resume(await get_run(run_id), MARA, text)


async def retry(agent_id: str, fresh: bool) -> None:
    """Another try."""
    await retrying.retry(agent_id, MARA, fresh=fresh)


async def clear(agent_id: str) -> None:
    """Let an agent be idle again."""
    await retrying.clear(agent_id, MARA)


async def keep(run_id: str) -> None:
    """Leave an interrupted run as it is."""
    await interrupted.keep(run_id, MARA)


async def send(session_id: str, text: str) -> None:
    """A message for the agent."""
    await messaging.send(session_id, text, MARA)


async def withdraw(session_id: str, message_id: str) -> None:
    """Take a message back."""
    await queueing.withdraw(session_id, message_id, MARA)


async def close(session_id: str) -> None:
    """Close a session by hand."""
    if await standalone(session_id):
        await chatting.close_chat(session_id, MARA)
    else:
        await opening.close(session_id, MARA)


async def open_chat(agent_id: str, text: str) -> None:
    """A first message."""
    await chatting.open_chat(agent_id, text, MARA)


async def hand_in(session_id: str, title: str) -> None:
    """The changes of a chat as a task."""
    await chatting.turn_into_task(session_id, NewTask(title=title), MARA)


async def start_background(agent_id: str) -> None:
    """From here on until it is stopped."""
    await background.start_background(agent_id, MARA)


async def give_up(agent_id: str) -> None:
    """Wait for a slot no more."""
    await background.give_up_waiting(await get_agent(agent_id), MARA)


async def review(task_id: str) -> str:
    """The digest of what the review page shows."""
    return (await compare(await get_task(task_id))).digest


async def approve(task_id: str, digest: str | None = None, **form: object) -> None:
    """Approve what `digest` names; what is there now when it is None."""
    shown = digest or await review(task_id)
    await approving.approve(task_id, Approval(digest=shown, **form), MARA)  # type: ignore[arg-type]


async def reject(task_id: str, reason: str) -> None:
    """Send work back."""
    await rejecting.reject(task_id, reason, MARA)


async def send_back(task_id: str) -> None:
    """Let the agent resolve the conflict of its branch."""
    await resolving.send_back_with_conflict(task_id, MARA)


async def undo(task_id: str, reason: str) -> None:
    """Take a merge back."""
    await undoing.undo(task_id, reason, MARA)


async def remove_worktree(worktree_id: str) -> None:
    """The form on the page of worktrees."""
    await remove_by_hand(worktree_id)


async def restore(worktree_id: str) -> None:
    """Make a worktree again that is gone, moved or half made."""
    await restoring.restore(worktree_id, MARA)


async def reconcile() -> None:
    """A round of the reconciler, as there is one every few seconds."""
    engine = _server["engine"]
    assert isinstance(engine, Engine)
    await engine._reconciler.round(engine._drives)
    await engine._worktrees.round()


async def say(run_id: str, text: str, whole: bool) -> None:
    """The agent says something, or begins to."""
    event = Message(message_id=text, text=text, turn=1) if whole else TextDelta(message_id=text, text=text)
    _give(run_id, event)


async def call(run_id: str, number: str, ends: bool) -> None:
    """The agent calls a tool, whose answer comes or does not."""
    _give(run_id, ToolStarted(call_id=number, tool="Bash", input={"command": f"echo {number}"}, turn=2))
    if ends:
        _give(run_id, ToolFinished(call_id=number, status="complete", output={"text": number}))


async def end(run_id: str, error_type: ErrorType | None) -> None:
    """The agent is done, or fails."""
    _give(run_id, Finished(error_type=error_type, error=error_type and f"It was {error_type}."))


def _give(run_id: str, event: AgentEvent) -> None:
    """An agent that is gone by now does nothing more."""
    puppets = _server["puppets"]
    assert isinstance(puppets, PuppetRunner)
    if run := puppets.runs.get(run_id):
        run.give(event)
