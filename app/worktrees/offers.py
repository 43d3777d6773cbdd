"""What a person can do about a worktree that is not as it should be, as the buttons of its pages."""

from app.tasks.views import Action
from app.worktrees.rows import WorktreeStatus
from app.worktrees.surveying import Problem


def mending(
    id: str, status: WorktreeStatus, problem: Problem | None, retries: str | None, *, is_live: bool
) -> tuple[Action, ...]:
    """Retry where the agent `retries` stopped on the task: it goes on at the step that failed. Else make it again."""
    if is_live or problem == "unknown" or (status != "error" and problem is None):
        return ()
    if retries and problem in (None, "gone"):
        return (Action(label="Retry", path=f"/agents/{retries}/retry", icon="retry", tone="primary"),)
    return (Action(label="Make it again", path=f"/worktrees/{id}/restore", icon="retry", tone="primary"),)
