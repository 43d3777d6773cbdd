"""What can be done with a task now, as the buttons of its page: the one thing to do next, and the others."""

from app.agents.rows import LIVE, AgentRow
from app.tasks.rows import TaskRow
from app.tasks.stages import Stage
from app.tasks.views import Action, is_about_a_limit, pause_action


def actions_of(
    task: TaskRow, stage: Stage, holder: AgentRow | None, pausing: bool, asked: str = ""
) -> tuple[Action | None, tuple[Action, ...]]:
    """The primary action and the rest, for a task in `stage` that `holder` has; `asked`: where it is answered."""
    here = f"/tasks/{task.id}"
    move = f"{here}/move"
    word = "Open live" if holder is not None and holder.status in LIVE and stage != "review" else "Session"
    live = Action(label=word, path=f"/sessions/{task.session_id}", icon="session", method="get")
    match stage:
        case "idle":
            return Action(
                label="Start", path=move, icon="play", tone="primary", fields=(("column", "in_progress"),)
            ), ()
        case "review":
            return Action(label="Review", path=f"{here}/review", icon="review", method="get", tone="primary"), (live,)
        case "error" if holder is not None and holder.current_task_id == task.id:
            submit = Action(label="Submit what is there", path=move, fields=(("column", "waiting_approval"),))
            retry = Action(label="Retry", path=f"/agents/{holder.id}/retry", icon="retry", tone="primary")
            return retry, (submit, live)
        case "needs_you" if holder is not None and asked:
            answer = Action(label="Answer", path=asked, icon="needs_you", method="get", tone="primary")
            pause = () if is_about_a_limit(asked) else (pause_action(holder.id, holder.status, pausing),)
            return answer, (live, *pause, _stop(holder))
        case "running" | "starting" | "paused" if holder is not None and holder.status in LIVE:
            return live, (pause_action(holder.id, stage, pausing), _stop(holder))
    return None, (live,) if task.session_id else ()


def _stop(holder: AgentRow) -> Action:
    return Action(label="Stop", path=f"/agents/{holder.id}/stop", icon="stop", tone="danger")
