"""What somebody asks of the server next, chosen by numbers from what there is. None where there is nothing to ask.

Mostly a thing is chosen on which the command is legal, and sometimes any: refusals are a part of life.
"""

from collections.abc import Callable, Sequence

from tests.lifecycles.chats import close_chat, give_up, hand_in, open_chat, start_background, write_in_chat
from tests.lifecycles.picking import pick
from tests.lifecycles.world import Command, Sight

COLUMNS = ("backlog", "in_progress", "waiting_approval", "verified")
METHODS = ("merge", "squash", "rebase")
#: Chooses a command: what there is, which of it, and in which way.
Chooser = Callable[[Sight, int, int], Command | None]


def start(sight: Sight, which: int, how: int) -> Command | None:
    """Start a task."""
    return _about_task(sight, which, ("backlog",), "start", position=(None, 0, 1, 99)[how % 4])


def edit(sight: Sight, which: int, how: int) -> Command | None:
    """Edit a task, and choose another agent for it."""
    agent = pick(sight.agents, how // 3) if how % 3 == 0 else None
    return _about_task(sight, which, COLUMNS, "edit", title=f"Edited {how}", agent_id=agent.id if agent else None)


def delete(sight: Sight, which: int, how: int) -> Command | None:
    """Delete a task."""
    return _about_task(sight, which, ("verified",) if how % 4 else ("backlog",), "delete")


def move(sight: Sight, which: int, how: int) -> Command | None:
    """Drag a card to any place of any column."""
    column, position = COLUMNS[how % 4], (None, 0, 1, 2, 3)[how // 4 % 5]
    return _about_task(sight, which, COLUMNS, "move", column=column, position=position)


def cancel(sight: Sight, which: int, how: int) -> Command | None:
    """Cancel a task, and its branch too now and then."""
    return _about_task(sight, which, ("in_progress", "waiting_approval"), "cancel", discard=how % 3 == 0)


def submit(sight: Sight, which: int, how: int) -> Command | None:
    """Hand in what a run left."""
    return _about_task(sight, which, ("in_progress",), "submit")


def review(sight: Sight, which: int, how: int) -> Command | None:
    """Look at the review page."""
    return _about_task(sight, which, ("waiting_approval",), "review")


def approve(sight: Sight, which: int, how: int) -> Command | None:
    """Approve what is there now, one way or another."""
    form = {"merge_method": METHODS[how % 3], "keep_branch": how // 3 % 2 == 1, "accept_without_merge": how % 17 == 0}
    return _about_task(sight, which, ("waiting_approval",), "approve", **form)


def approve_unseen(sight: Sight, which: int, how: int) -> Command | None:
    """Approve something else than what is there."""
    return _about_task(sight, which, ("waiting_approval",), "approve", digest="0" * 64)


def reject(sight: Sight, which: int, how: int) -> Command | None:
    """Ask for changes."""
    return _about_task(sight, which, ("waiting_approval",), "reject", reason=f"Reason {how}")


def send_back(sight: Sight, which: int, how: int) -> Command | None:
    """Let the agent resolve a conflict."""
    return _about_task(sight, which, ("waiting_approval",), "send_back")


def undo(sight: Sight, which: int, how: int) -> Command | None:
    """Take a merge back."""
    return _about_task(sight, which, ("verified",), "undo", reason=f"Regret {how}")


def stop(sight: Sight, which: int, how: int) -> Command | None:
    """Stop a run."""
    run = pick(sight.runs, which)
    return ("stop", {"run_id": run.id}) if run else None


def pause(sight: Sight, which: int, how: int) -> Command | None:
    """Let a run rest."""
    run = pick(sight.runs, which)
    return ("pause", {"run_id": run.id}) if run else None


def resume(sight: Sight, which: int, how: int) -> Command | None:
    """Let a run go on, with a message or without."""
    run = pick([run for run in sight.runs if run.status == "paused" or which % 8 == 7], which)
    return ("resume", {"run_id": run.id, "text": f"Go on {how}" if how % 2 else ""}) if run else None


def retry(sight: Sight, which: int, how: int) -> Command | None:
    """Let an agent try again."""
    agent = _agent(sight, which, ("error",))
    return ("retry", {"agent_id": agent, "fresh": how % 2 == 1}) if agent else None


def clear(sight: Sight, which: int, how: int) -> Command | None:
    """Free an agent."""
    agent = _agent(sight, which, ("error", "completed"))
    return ("clear", {"agent_id": agent}) if agent else None


def remove_agent(sight: Sight, which: int, how: int) -> Command | None:
    """Delete an agent."""
    agent = _agent(sight, which, ("idle",))
    return ("remove_agent", {"agent_id": agent}) if agent else None


def send(sight: Sight, which: int, how: int) -> Command | None:
    """Write to the agent of a task."""
    session = _session(sight, which)
    return ("send", {"session_id": session, "text": f"Message {how}"}) if session else None


def withdraw(sight: Sight, which: int, how: int) -> Command | None:
    """Take a message back that was not read."""
    message = pick(sight.messages, which)
    return ("withdraw", {"session_id": message.session_id, "message_id": message.id}) if message else None


def close(sight: Sight, which: int, how: int) -> Command | None:
    """Close a session."""
    session = _session(sight, which)
    return ("close", {"session_id": session}) if session else None


def remove_worktree(sight: Sight, which: int, how: int) -> Command | None:
    """Remove a worktree by hand."""
    worktree = pick([each for each in sight.worktrees if each.status != "removed"], which)
    return ("remove_worktree", {"worktree_id": worktree.id}) if worktree else None


def restore(sight: Sight, which: int, how: int) -> Command | None:
    """Make a worktree again."""
    worktree = pick([each for each in sight.worktrees if each.status != "removed"], which)
    return ("restore", {"worktree_id": worktree.id}) if worktree else None


def reconcile(sight: Sight, which: int, how: int) -> Command | None:
    """The reconciler's round comes."""
    return "reconcile", {}


#: What people ask for often, and what they ask for now and then.
OFTEN: tuple[Chooser, ...] = (start, approve, reject, cancel, retry, send, undo, open_chat, hand_in)
SOMETIMES: tuple[Chooser, ...] = (
    edit, delete, move, pause, resume, resume, send_back, restore, submit, review, approve_unseen, stop, clear,
    remove_agent, withdraw, close, remove_worktree, reconcile, write_in_chat, close_chat, start_background, give_up,
)  # fmt: skip
CHOOSERS = {chooser.__name__: chooser for chooser in (*OFTEN, *SOMETIMES)}
#: Their names, those that are asked for often twice.
NAMES = [chooser.__name__ for chooser in (*OFTEN, *OFTEN, *SOMETIMES)]


def choose(what: str, sight: Sight, which: int, how: int) -> Command | None:
    """The command of that name, or where there is nothing for it any other for which there is something."""
    if command := CHOOSERS[what](sight, which, how):
        return command
    possible = [each for chooser in CHOOSERS.values() if (each := chooser(sight, which, how))]
    return pick(possible, how)


def _about_task(sight: Sight, which: int, columns: Sequence[str], name: str, **arguments: object) -> Command | None:
    fitting = [task for task in sight.tasks if task.column in columns]
    task = pick(sight.tasks if which % 8 == 7 else fitting, which)
    return (name, {"task_id": task.id, **arguments}) if task else None


def _agent(sight: Sight, which: int, statuses: Sequence[str]) -> str | None:
    fitting = [agent for agent in sight.agents if agent.status in statuses]
    agent = pick(sight.agents if which % 8 == 7 else fitting, which)
    return agent.id if agent else None


def _session(sight: Sight, which: int) -> str | None:
    open_ones = [task.session_id for task in sight.tasks if task.session_id and task.column == "in_progress"]
    every = [task.session_id for task in sight.tasks if task.session_id]
    return pick(every if which % 8 == 7 else open_ones, which)
