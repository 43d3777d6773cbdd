"""Every number that is kept is the number of rows that it counts."""

import json
from collections import Counter

from tests.invariants.facts import Facts, Row

#: Ends that are no success and hand in what was done all the same.
HANDED_IN = ("turn_limit", "budget")


def agents_count_their_tasks(facts: Facts) -> None:
    """What became of a task is what became of the agent's last run of it."""
    last: dict[str, dict[str, Row]] = {agent["id"]: {} for agent in facts.agents}
    for run in facts.runs:
        last[run["agent_id"]][run["session_id"] or run["id"]] = run
    for agent in facts.agents:
        runs = last[agent["id"]].values()
        done = sum(run["status"] == "completed" or run["error_type"] in HANDED_IN for run in runs)
        failed = sum(run["status"] == "error" and run["error_type"] not in HANDED_IN for run in runs)
        says = [agent[name] or 0 for name in ("total_tasks", "completed_tasks", "failed_tasks")]
        assert says == [len(runs), done, failed], f"{agent['name']} says {says}, its runs {[len(runs), done, failed]}"


def sessions_count_messages_and_calls(facts: Facts) -> None:
    session_of = {run["id"]: run["session_id"] for run in facts.runs}
    calls = Counter(session_of.get(call["agent_run_id"]) for call in facts.calls)
    for session in facts.sessions:
        says = (session["message_count"], session["tool_call_count"])
        true = (facts.messages[session["id"]], calls[session["id"]])
        assert says == true, f"session {session['id']} says {says} messages and calls, its rows {true}"


def runs_count_turns_and_calls(facts: Facts) -> None:
    for run in facts.runs:
        calls = [call for call in facts.calls if call["agent_run_id"] == run["id"]]
        seen = max((call["turn_number"] for call in calls), default=0)
        assert (run["turn_count"] or 0) >= seen, f"run {run['id']} has {run['turn_count']} turns, a call in {seen}"
        if run["completed_at"] is None:
            continue
        says = {entry["tool"]: (entry["count"], entry["totalDuration"]) for entry in json.loads(run["tool_calls"])}
        times, took = Counter(call["tool"] for call in calls), Counter[str]()
        for call in calls:
            took[call["tool"]] += call["duration"] or 0
        true = {tool: (n, took[tool]) for tool, n in times.items()}
        assert says == true, f"run {run['id']} says {says}, its calls {true}"


def tasks_count_turns_and_rejections(facts: Facts) -> None:
    turns = Counter[str]()
    for run in facts.runs:
        if run["completed_at"] is not None and run["task_id"]:
            turns[run["task_id"]] += run["turn_count"] or 0
    for task in facts.tasks:
        says = (task["turn_count"] or 0, task["rejection_count"] or 0)
        true = (turns[task["id"]], facts.rejections[task["id"]])
        assert says == true, f"task {task['id']} says {says} turns and rejections, its runs and decisions {true}"
