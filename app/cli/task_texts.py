"""What the commands about tasks print: a line in a list, one task whole, and the change that an approval takes."""

from typing import Any

import msgspec
from msgspec import Struct

from app.agents.asked import asked_by
from app.agents.rows import AgentRow, agents_of
from app.cli.printing import print_facts, print_table, short
from app.errors import Conflict
from app.git.diffs import FileChange, printable
from app.permissions.queries import open_questions
from app.projects.rows import ProjectRow, get_project
from app.reviews.comparing import Comparison, compare
from app.reviews.undoing import merge_of
from app.runs.rows import RunRow, runs_of_task
from app.tasks.rows import TaskRow, tasks_of
from app.tasks.stages import Stage, stage_of
from app.tasks.states import NAMES


class TaskLine(Struct, frozen=True, kw_only=True):
    """A task in a list."""

    task: TaskRow
    stage: Stage
    project: ProjectRow

    def document(self) -> dict[str, Any]:
        """The row as JSON: its columns, and the stage that the board shows."""
        row: dict[str, Any] = msgspec.to_builtins(self.task)
        return row | {"stage": self.stage, "project": self.project.name}

    @property
    def state(self) -> str:
        """The column, and inside In progress what goes on there."""
        name = NAMES[self.task.column]
        return f"{name}, {self.stage.replace('_', ' ')}" if self.task.column == "in_progress" else name


class WholeTask(TaskLine, frozen=True, kw_only=True):
    """One task with all that is known of it."""

    agent: AgentRow | None
    #: Newest first.
    runs: list[RunRow]
    #: What an approval would take; None where there is nothing to decide.
    comparison: Comparison | None

    def document(self) -> dict[str, Any]:
        """As in a list, with the runs and the digest."""
        runs = [{name: getattr(run, name) for name in _RUN_FIELDS} for run in self.runs]
        agent = self.agent.name if self.agent else None
        digest = self.comparison.digest if self.comparison else None
        return super().document() | {"agent": agent, "digest": digest, "runs": runs}


_RUN_FIELDS = (
    "id", "number", "cause", "status", "error_type", "error", "result", "turn_count", "token_input_count",
    "token_output_count", "started_at", "completed_at", "duration",
)  # fmt: skip


async def listed(project: ProjectRow) -> list[TaskLine]:
    """The tasks of a project in board order."""
    status = {agent.id: agent.status for agent in await agents_of(project.id)}
    asking = {question.task_id for question in await open_questions(project.id)}
    return [
        TaskLine(
            task=task, stage=stage_of(task.column, status.get(task.agent_id or ""), task.id in asking), project=project
        )
        for task in await tasks_of(project.id)
    ]


async def whole(task: TaskRow) -> WholeTask:
    """The task with its agent, its runs and the change that waits for a decision."""
    agents = {agent.id: agent for agent in await agents_of(task.project_id)}
    agent = agents.get(task.agent_id or "")
    return WholeTask(
        task=task,
        stage=stage_of(task.column, agent.status if agent else None, bool(agent and await asked_by(agent.id))),
        project=await get_project(task.project_id),
        agent=agent,
        runs=await runs_of_task(task.id),
        comparison=await _comparison(task),
    )


async def _comparison(task: TaskRow) -> Comparison | None:
    if task.column != "waiting_approval":
        return None
    try:
        return await compare(task)
    except Conflict:  # The worktree is gone; an approval will say so.
        return None


def print_tasks(lines: list[TaskLine]) -> None:
    """One line for each."""
    cells = [(short(each.task.id), each.state, each.task.title, each.project.name) for each in lines]
    print_table(("ID", "STATE", "TITLE", "PROJECT"), cells, "There are no tasks.")


def print_task(found: WholeTask) -> None:
    """A fact a line; then the runs, then the change."""
    task = found.task
    print_facts(
        [
            ("title", task.title),
            ("id", task.id),
            ("project", found.project.name),
            ("state", found.state),
            ("labels", ", ".join(task.labels)),
            ("agent", found.agent.name if found.agent else ""),
            ("branch", task.branch or ""),
            ("session", f"/sessions/{task.session_id}" if task.session_id else ""),
            ("approved by", task.approved_by or ""),
            (
                "rejected",
                f"{task.rejection_count} times, last: {task.rejection_reason}" if task.rejection_count else "",
            ),
            ("description", task.description or ""),
            *((f"run {run.number}", _run(run)) for run in reversed(found.runs)),
        ]
    )
    if found.comparison is not None:
        print_change(found.comparison)


def print_change(comparison: Comparison) -> None:
    """The files, the state of the branch, and the digest that names all of it."""
    worktree = comparison.worktree
    print_table(
        ("FILE", "LINES"), [(_path(change), _lines(change)) for change in comparison.changes], "No file differs."
    )
    print_facts(
        [
            ("branch", f"{worktree.branch} into {worktree.base_branch}"),
            ("behind", f"{comparison.behind} commits" if comparison.behind else ""),
            ("conflicts", ", ".join(sorted({printable(conflict.path) for conflict in comparison.conflicts}))),
            ("digest", comparison.digest),
        ]
    )


async def verdict(task: TaskRow) -> str:
    """What an approval did."""
    merge = await merge_of(task)
    done = f"merged into {merge.base_branch} as {merge.new_oid[:10]}" if merge else "accepted without a merge"
    return f"Approved {task.id}: {task.title}, {done}"


def _run(run: RunRow) -> str:
    return ": ".join(filter(None, (run.error_type or run.status, run.error)))


def _path(change: FileChange) -> str:
    moved = f"{printable(change.old_path)} → " if change.old_path != change.path else ""
    return f"{change.status} {moved}{printable(change.path)}"


def _lines(change: FileChange) -> str:
    return "binary" if change.binary else f"+{change.added} −{change.removed}"
