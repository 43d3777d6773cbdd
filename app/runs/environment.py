"""The environment of a run's program: the allow-listed part of ours, and the names that the contract promises."""

from app.projects.rows import ProjectRow
from app.runs.rows import RunRow
from app.settings import Settings
from app.tasks.rows import TaskRow
from app.worktrees.rows import WorktreeRow

#: First port of the range of the first worktree, and how many each has.
PORTS_FROM = 20_000
PORTS_EACH = 10
_RANGES = 3_000


def run_environment(
    settings: Settings, project: ProjectRow, task: TaskRow | None, worktree: WorktreeRow, run: RunRow
) -> dict[str, str]:
    """Everything the program may see of us."""
    return {
        **settings.agent_environment,
        "AGENTPANE_RUN_ID": run.id,
        **({"AGENTPANE_TASK_ID": task.id} if task else {}),
        "AGENTPANE_PROJECT_ID": project.id,
        "AGENTPANE_WORKTREE": worktree.path,
        "AGENTPANE_BRANCH": worktree.branch,
        "AGENTPANE_ATTEMPT": str(task.rejection_count + 1 if task else 1),
        "AGENTPANE_PORT_BASE": str(port_base(worktree.id)),
    }


def port_base(worktree_id: str) -> int:
    """The first of ten ports that a worktree may use; the same each time, and different from most others."""
    return PORTS_FROM + (int(worktree_id, 36) % _RANGES) * PORTS_EACH
