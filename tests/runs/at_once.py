"""One task in a state of its life, everything that people can press there, and what must hold whatever they do."""

import asyncio
import re
from pathlib import Path

import httpx
from msgspec import Struct

from app.agents.rows import LIVE, AgentRow, agents_of
from app.postgres.reading import rows, scalar
from app.processes import trees
from app.reviews.approving import approve
from app.runs.cancelling import cancel
from app.runs.rows import RunRow, live_runs
from app.tasks.rows import TaskRow, get_task, tasks_of
from app.web.csrf import FIELD
from tests.visitor import Visitor, forms_of
from tests.workshop import MARA, Workshop

#: Writes, then does what the file `mode` beside the script says: `wait`, `fail` or nothing.
SCRIPT = """
date +%s%N >> work.txt
echo working
case $(cat {mode}) in
  fail) exit 3 ;;
  wait) echo $$ > pid; while :; do sleep 0.05; done ;;
esac
"""
STATES = ("backlog", "queued", "starting", "running", "paused", "error", "review", "done")
#: What a page offers in each state, and what is refused nowhere.
OFFERED: dict[str, tuple[str, ...]] = {
    "backlog": ("start", "delete", "edit"),
    "queued": ("cancel", "edit"),
    "starting": ("stop", "pause", "cancel", "message", "edit"),
    "running": ("stop", "pause", "cancel", "message", "edit"),
    "paused": ("stop", "resume", "cancel", "message", "edit"),
    "error": ("retry", "submit", "give_up", "cancel", "message", "edit"),
    "review": ("approve", "reject", "cancel", "edit"),
    "done": ("undo", "delete", "edit"),
}
COMMANDS = (
    "start", "stop", "pause", "resume", "retry", "give_up", "cancel", "discard", "submit", "approve", "reject",
    "message", "delete", "edit", "undo",
)  # fmt: skip
#: Of these two, pressed at the same moment in this state, exactly one is carried out.
EXCLUSIVE = {
    ("backlog", "delete", "start"), ("backlog", "delete", "delete"), ("paused", "resume", "resume"),
    ("error", "retry", "retry"), ("review", "approve", "approve"), ("review", "approve", "reject"),
    ("review", "approve", "cancel"), ("review", "reject", "reject"), ("done", "undo", "undo"),
}  # fmt: skip
#: Seconds within which every answer comes, and everything is settled.
PATIENCE_S = 40
#: Agents at work at once, as a new project has it.
PROJECT_SLOTS = 3


class Stage:
    """Brings tasks into any state, presses buttons, and looks whether all is well."""

    def __init__(self, workshop: Workshop, visitor: Visitor, folder: Path) -> None:
        self.workshop = workshop
        self.visitor = visitor
        self.mode = folder / "mode"
        self.gate = folder / "gate"
        self._count = 0

    async def task(self, state: str) -> TaskRow:
        """A new task in that state, with an agent of its own."""
        self._count += 1
        self.mode.write_text({"error": "fail", "review": "", "done": ""}.get(state, "wait"))
        self.gate.touch()
        agent = await self.workshop.agent(f"agent {self._count}", SCRIPT.format(mode=self.mode))
        if state == "queued":
            await self._occupy(agent)
        if state == "starting":
            self.gate.unlink()
        task = await self.workshop.task(f"Task {self._count}", agent=agent, start=state != "backlog")
        await self._reach(task, agent, state)
        self.mode.write_text("wait")
        return await get_task(task.id)

    async def press(self, task: TaskRow, state: str, commands: tuple[str, ...]) -> list[httpx.Response]:
        """Send every command at the same moment; the answers in their order."""
        agent_id = task.metadata.wanted_agent_id or task.agent_id
        html = await self.visitor.page(f"/tasks/{task.id}")
        token = next(form.fields[FIELD] for form in forms_of(html) if FIELD in form.fields)
        digest = await self._digest(task) if state == "review" else "sha256:none"
        requests = {
            "start": (f"/tasks/{task.id}/move", {"column": "in_progress"}),
            "submit": (f"/tasks/{task.id}/move", {"column": "waiting_approval"}),
            "cancel": (f"/tasks/{task.id}/cancel", {}),
            "discard": (f"/tasks/{task.id}/cancel", {"discard": "true"}),
            "approve": (f"/tasks/{task.id}/approve", {"digest": digest}),
            "reject": (f"/tasks/{task.id}/reject", {"reason": "Not yet."}),
            "undo": (f"/tasks/{task.id}/undo", {"reason": "It broke."}),
            "delete": (f"/tasks/{task.id}/delete", {}),
            "edit": (f"/tasks/{task.id}", {"title": "Another title", "agent_id": agent_id or ""}),
            "message": (f"/sessions/{task.session_id or 'aaaaaaaaaaaaaaaaaaaaaaaa'}/messages", {"text": "Hear me."}),
            "give_up": (f"/agents/{agent_id}/start", {}),
            **{verb: (f"/agents/{agent_id}/{verb}", {}) for verb in ("stop", "pause", "resume", "retry")},
        }
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.gather(
                *(
                    self.visitor.client.post(path, data={FIELD: token, **fields})
                    for path, fields in (requests[command] for command in commands)
                )
            )

    async def settle(self) -> None:
        """Wait until nothing is on its way by itself, then check what must hold."""
        self.gate.touch()
        async with asyncio.timeout(PATIENCE_S):
            while wrong := await self._wrong():
                await asyncio.sleep(0.05)
                if not await self._is_moving() and (wrong := await self._wrong()):
                    raise AssertionError(wrong)

    async def clear(self) -> None:
        """End whatever the tasks of this project still do."""
        self.gate.touch()
        for task in await tasks_of(self.workshop.project.id):
            if task.column in ("in_progress", "waiting_approval"):
                await cancel(task.id, actor=MARA)

    async def _reach(self, task: TaskRow, agent: AgentRow, state: str) -> None:
        if state in ("running", "paused"):
            await self._until_at_work(task)
        if state == "paused":
            await self.visitor.post(f"/agents/{agent.id}/pause")
        if state == "done":
            task = await self.workshop.until(task, "waiting_approval")
            await approve(task.id, await self.workshop.approval(task), MARA)
        wanted = {"backlog": "idle"}.get(state, state)
        await self.workshop.until(task, wanted)  # type: ignore[arg-type]

    async def _occupy(self, agent: AgentRow) -> None:
        holder = await self.workshop.task(f"Holder {self._count}", agent=agent)
        await self._until_at_work(holder)

    async def _until_at_work(self, task: TaskRow) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not [run for run in await self.workshop.runs(task) if run.pid and run.status == "running"]:
                await asyncio.sleep(0.02)

    async def _digest(self, task: TaskRow) -> str:
        found = re.search(r'name="digest" value="([^"]+)"', await self.visitor.page(f"/tasks/{task.id}/review"))
        assert found
        return found[1]

    async def _is_moving(self) -> bool:
        """Whether a run starts or ends, a task waits for a free agent, or a worktree is being removed."""
        project = self.workshop.project.id
        moving = await scalar(
            "SELECT count(*) FROM worktrees WHERE project_id = $1 AND status IN ('creating', 'removing', 'merging')",
            project,
        )
        wanted = "SELECT count(*) FROM run_details d JOIN agent_runs r ON r.id = d.run_id WHERE r.completed_at IS NULL"
        asked = f"{wanted} AND (d.stop_requested IS NOT NULL OR d.pause_requested <> (r.status = 'paused'))"
        starting = f"{wanted} AND r.status = 'starting'"
        return bool(moving or await scalar(asked) or await scalar(starting))

    async def _wrong(self) -> str:
        """The first thing that does not hold, in words."""
        if await self._is_moving():
            return "something is on its way"
        tasks = await tasks_of(self.workshop.project.id)
        agents = await agents_of(self.workshop.project.id)
        for column in ("backlog", "in_progress", "waiting_approval", "verified"):
            places = [task.position for task in tasks if task.column == column]
            if places != list(range(len(places))):
                return f"positions in {column}: {places}"
        return (
            _wrong_agents(agents, await live_runs(self.workshop.project.id))
            or _wrong_holders(agents, tasks)
            or await self._wrong_worktrees()
            or await self._wrong_processes()
        )

    async def _wrong_worktrees(self) -> str:
        class _Row(Struct):
            title: str
            column: str
            status: str

        found = await rows(
            _Row,
            'SELECT t.title, t."column", w.status FROM tasks t JOIN worktrees w ON w.id = t.worktree_id'
            " WHERE t.project_id = $1",
            self.workshop.project.id,
        )
        for row in found:
            gone = row.status == "removed"
            if gone != (row.column in ("backlog", "verified")) and row.status != "error":
                return f"{row.title} is in {row.column}, its worktree is {row.status}"
        return ""

    async def _wrong_processes(self) -> str:
        marked = await asyncio.to_thread(trees.marked_runs)
        ended = "SELECT count(*) FROM agent_runs WHERE id = ANY($1) AND completed_at IS NOT NULL"
        return "a process outlived its run" if await scalar(ended, list(marked)) else ""


def _wrong_agents(agents: list[AgentRow], live: list[RunRow]) -> str:
    if len(live) > PROJECT_SLOTS:
        return "more agents at work than may be"
    runs = {run.agent_id: run for run in live}
    if len(runs) != len(live):
        return "an agent has two runs"
    for agent in agents:
        run = runs.get(agent.id)
        if (agent.status in LIVE) != (run is not None):
            return f"{agent.name} is {agent.status}, and its run is {run}"
        if run is not None and (run.status, run.task_id) != (agent.status, agent.current_task_id):
            return f"{agent.name} is {agent.status} on {agent.current_task_id}, its run {run.status}"
    return ""


def _wrong_holders(agents: list[AgentRow], tasks: list[TaskRow]) -> str:
    held = {task.id: task for task in tasks}
    for agent in agents:
        task = held.get(agent.current_task_id or "")
        if agent.current_task_id and (task is None or (task.column, task.agent_id) != ("in_progress", agent.id)):
            return f"{agent.name} ({agent.status}) holds a task that is not its own: {task}"
    by_id = {agent.id: agent for agent in agents}
    for task in tasks:
        holder = by_id.get(task.agent_id or "")
        if task.column == "in_progress" and holder is not None and holder.current_task_id != task.id:
            return f"{task.title} is with {holder.name}, who is {holder.status} and holds {holder.current_task_id}"
    return ""
