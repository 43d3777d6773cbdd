"""The board: each column whole, and no card forgotten in it."""

from tests.invariants.facts import Facts


def positions_have_no_gaps(facts: Facts) -> None:
    places: dict[tuple[str, str], list[int]] = {}
    for task in facts.tasks:
        places.setdefault((task["project_id"], task["col"]), []).append(task["position"])
    for column, found in places.items():
        assert sorted(found) == list(range(len(found))), f"{column} has the positions {sorted(found)}"


def every_task_in_progress_waits_or_is_held(facts: Facts) -> None:
    """In the queue, at work, or held by an agent that a person can retry: nothing else would ever move it on."""
    agents = facts.by_id("agents")
    live = {run["task_id"] for run in facts.runs if run["completed_at"] is None}
    for task in facts.tasks:
        if task["col"] != "in_progress" or task["agent_id"] is None or task["id"] in live:
            continue
        agent = agents.get(task["agent_id"])
        is_held = agent is not None and agent["status"] == "error" and agent["current_task_id"] == task["id"]
        assert is_held, f"task {task['id']} waits for nobody; its agent is {agent}"
