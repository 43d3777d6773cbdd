"""The environment of a run's program: the allow-listed part of ours, and the names that the contract promises."""

from app.projects.rows import ProjectRow
from app.runs.rows import RunRow
from app.settings import Settings
from app.tasks.ports import ports_of
from app.tasks.rows import TaskRow
from app.worktrees.rows import WorktreeRow


def run_environment(
    settings: Settings, project: ProjectRow, task: TaskRow | None, worktree: WorktreeRow, run: RunRow
) -> dict[str, str]:
    """Everything the program may see of us."""
    assert worktree.number is not None, "a claim numbers its worktree"
    return {
        **settings.agent_environment,
        "AGENTPANE_RUN_ID": run.id,
        **({"AGENTPANE_TASK_ID": task.id} if task else {}),
        "AGENTPANE_PROJECT_ID": project.id,
        "AGENTPANE_WORKTREE": worktree.path,
        "AGENTPANE_BRANCH": worktree.branch,
        "AGENTPANE_ATTEMPT": str(task.rejection_count + 1 if task else 1),
        "AGENTPANE_WORKTREE_NUMBER": str(worktree.number),
        "AGENTPANE_PORT_BASE": str(ports_of(worktree.number).start),
    }
