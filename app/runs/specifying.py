"""What a run's program is given: what its agent and project say, and what an interrupted or paused run had before."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.agents.rows import AgentRow
from app.budgets.counting import recorded
from app.budgets.holding import action_at
from app.clock import now
from app.configuration.sources import Configuration
from app.git.refusals import GitRefused
from app.git.repository import inspect
from app.permissions.queries import waited_s
from app.processes.sandbox import Sandbox
from app.projects.rows import ProjectRow
from app.projects.walls import standing
from app.runners.base import Usage
from app.runs.rows import RunRow
from app.settings import Settings
from app.worktrees.creating import SetupFailed, task_folder
from app.worktrees.rows import WorktreeRow
from app.worktrees.sandboxing import SandboxMissing, sandbox_for

#: Seconds of a minute, in which the limits of a project are set.
MINUTE_S = 60.0


async def folder_of_run(project: ProjectRow, worktree: WorktreeRow) -> Path:
    """Where the program works, which is never the project's own folder: `SetupFailed` then."""
    folder = task_folder(worktree, await inspect(project.root))
    if folder.resolve() == project.root.resolve():
        raise SetupFailed("The worktree is the project's own folder, where no agent works.")
    return folder


def chosen_for(agent: AgentRow, configuration: Configuration) -> dict[str, Any]:
    """What the agent is and what holds for it, as a `RunSpec` has it; its rules stand below its ceiling."""
    config = agent.config
    return {
        "command": config.command,
        "system_prompt": config.system_prompt,
        "temperature": config.temperature,
        "model": configuration.text("model") or None,
        "allowed_tools": configuration.allowed_tools,
        "rules": configuration.holding(),
    }


def sandbox_of_run(
    settings: Settings,
    project: ProjectRow,
    agent: AgentRow,
    worktree: WorktreeRow,
    env: Mapping[str, str],
    program: str,
) -> Sandbox | None:
    """How `program`, or the command, is confined. `SetupFailed` where a sandbox is demanded and cannot be had."""
    config = agent.config
    try:
        return sandbox_for(settings, project, worktree, env, (program, *config.command), agent=config.sandbox)
    except (SandboxMissing, GitRefused) as refusal:
        raise SetupFailed(str(refusal)) from refusal


def why_unconfined(settings: Settings, project: ProjectRow, agent: AgentRow) -> str:
    """What a run without a sandbox says at its beginning; empty for one that has it."""
    warning = standing(settings.sandbox, project.config, agent.config.sandbox).warning
    return f"{warning} The agent can do whatever this server's user can." if warning else ""


async def limits_of(configuration: Configuration, agent: AgentRow, run: RunRow) -> dict[str, Any]:
    """Its turns; its seconds of work, less what it worked before a rest; and of silence. Waiting is no work.

    Where the budget says that a limit warns or asks, nothing here ends the run: `app.runs.budgeting` looks.
    """
    worked = run.worked_ms(now()) / 1000 - await waited_s(run.id) if run.rests else 0
    ends = await action_at(agent, run.task_id, "run") == "stop"
    return {
        "max_turns": configuration.number("maxTurns") if ends else None,
        "timeout_s": (_minutes(agent, configuration.number("timeoutMinutes")) if ends else math.inf) - worked,
        "idle_timeout_s": _minutes(agent, configuration.number("idleTimeoutMinutes")),
    }


async def left_from_before(run: RunRow) -> dict[str, Any]:
    """The conversation to go on with, and what the run has used so far."""
    cost = None if run.cost_usd_micros is None else run.cost_usd_micros / 1_000_000
    before = await recorded(run.id)
    usage = Usage(
        input_tokens=run.token_input_count,
        output_tokens=run.token_output_count,
        cost_usd=cost,
        cache_read_tokens=before.cache_read_tokens,
        cache_write_tokens=before.cache_write_tokens,
    )
    return {"resume": run.native_session_id, "turns_before": run.turn_count, "usage_before": usage}


def _minutes(agent: AgentRow, limit: int) -> float:
    """A limit in seconds. A background agent has none: it is at work until somebody stops it."""
    return math.inf if agent.type == "background" else limit * MINUTE_S
