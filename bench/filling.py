"""A board as a busy team has it: cards in every column, reviews that wait, agents that stand in error."""

from app.events.recording import Actor
from app.ids import create_id
from app.postgres.reading import execute
from app.projects.tables import DEFAULT_MODEL

SOMEBODY = Actor("person", "Mara Lindqvist")
LABELS = ("resolver", "perf", "docs", "tests", "chore", "index", "errors")
TITLES = (
    "Report the whole requirement chain when resolution fails",
    "Read lock files of the new standard",
    "Fuzz version specifiers against the reference parser",
    "Document the environment marker evaluator",
    "Cache parsed wheels between resolver runs",
)
#: Share of the tasks in each column; what is left is verified.
SHARES = (("backlog", 0.45), ("in_progress", 0.05), ("waiting_approval", 0.20))


async def fill(project_id: str, tasks: int) -> None:
    """Put `tasks` tasks on the board. Nothing is queued, so no agent starts."""
    counts = {column: int(tasks * share) for column, share in SHARES}
    counts["verified"] = tasks - sum(counts.values())
    for column, count in counts.items():
        for position in range(count):
            await _add(project_id, column, position)


async def _add(project_id: str, column: str, position: int) -> None:
    task_id, agent_id = create_id(), create_id() if column == "in_progress" else None
    reviewed = column in ("waiting_approval", "verified")
    await execute(
        "INSERT INTO tasks (id, project_id, agent_id, title, description, \"column\", position, branch, files_changed,"
        " lines_added, lines_removed, completed_at, approved_at, approved_by, rejection_count, labels, metadata)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
        " CASE WHEN $12 THEN now() - make_interval(mins => $7 * 7) END,"
        " CASE WHEN $13 THEN now() - make_interval(hours => $7 * 3) END, $14, $15, $16::text::jsonb, '{}')",
        task_id, project_id, agent_id, f"{TITLES[position % len(TITLES)]}, part {position + 1}",
        "Where it is slow, and how to see it.\n\n" * 4, column, position,
        f"agent/{task_id[:6]}/part-{position}" if column != "backlog" else None,
        position % 9 + 1 if reviewed else None, position * 7 % 400, position * 3 % 90, reviewed, column == "verified",
        SOMEBODY.name if column == "verified" else None, position % 3,
        f'["{LABELS[position % 7]}", "{LABELS[(position + 3) % 7]}"]',
    )  # fmt: skip
    if agent_id:
        await _add_agent(agent_id, project_id, task_id, position)


async def _add_agent(agent_id: str, project_id: str, task_id: str, number: int) -> None:
    run_id = create_id()
    await execute(
        "INSERT INTO agents (id, project_id, name, status, current_task_id, last_error)"
        " VALUES ($1, $2, $3, 'error', $4, 'The program ended with exit code 3.')",
        agent_id, project_id, f"worker-{number + 1}", task_id,
    )  # fmt: skip
    await execute(
        "INSERT INTO agent_runs (id, agent_id, task_id, project_id, status, prompt, turn_count, error_type,"
        " started_at, completed_at) VALUES ($1, $2, $3, $4, 'error', 'Do it.', 14, 'process_exit', now(), now())",
        run_id, agent_id, task_id, project_id,
    )  # fmt: skip
    await execute("INSERT INTO run_details (run_id, model, max_turns) VALUES ($1, $2, 50)", run_id, DEFAULT_MODEL)
