"""Agents, runs and processes: what is said to be at work is, and nothing else."""

from collections import Counter

from tests.invariants.facts import Facts, Row

LIVE = ("starting", "running", "paused")


def no_project_has_too_many_at_work(facts: Facts) -> None:
    at_work = Counter(agent["project_id"] for agent in facts.agents if agent["status"] in LIVE)
    for project in facts.projects:
        limit = project["max_concurrent_agents"]
        assert at_work[project["id"]] <= limit, f"{at_work[project['id']]} agents at work of at most {limit}"


def one_agent_has_one_task(facts: Facts) -> None:
    held = Counter(agent["current_task_id"] for agent in facts.agents if agent["current_task_id"])
    assert all(times == 1 for times in held.values()), f"tasks held by more than one agent: {held}"
    live = [run for run in facts.runs if run["completed_at"] is None]
    for column in ("agent_id", "task_id", "session_id"):
        times = Counter(run[column] for run in live if run[column])
        assert all(n == 1 for n in times.values()), f"more than one live run by {column}: {times}"


def an_agent_at_work_says_what_it_does(facts: Facts) -> None:
    tasks = facts.by_id("tasks")
    for agent in facts.agents:
        task = tasks.get(agent["current_task_id"])
        if agent["type"] != "task" or agent["status"] not in (*LIVE, "error"):
            continue
        if agent["status"] in LIVE:
            assert task is not None, f"agent {agent['name']} is {agent['status']} without a task"
        if task is None:
            continue
        says = [agent[f"current_{name}_id"] for name in ("task", "session", "worktree")]
        true = [task["id"], task["session_id"], task["worktree_id"]]
        assert says == true, f"agent {agent['name']} ({agent['status']}) says {says}, its task {true}"
        assert task["agent_id"] == agent["id"], f"agent {agent['name']} holds task {task['id']} of {task['agent_id']}"
        assert task["col"] == "in_progress", f"agent {agent['name']} holds task {task['id']} in {task['col']}"


def an_agent_outside_of_tasks_says_where_it_is(facts: Facts) -> None:
    own = {row["session_id"]: row for row in facts.standalone}
    for agent in facts.agents:
        if agent["type"] == "task" or agent["current_task_id"] or agent["status"] not in (*LIVE, "error"):
            continue
        session = own.get(agent["current_session_id"])
        assert session is not None, f"agent {agent['name']} is {agent['status']} in no session"
        assert session["is_active"], f"agent {agent['name']} is {agent['status']} in a closed session"
        assert session["worktree_id"] == agent["current_worktree_id"], f"agent {agent['name']} is in another worktree"


def what_is_closed_waits_for_nothing(facts: Facts) -> None:
    for row in facts.standalone:
        waits = row["pending"] is not None or row["keeps_running"]
        assert row["is_active"] or not waits, f"the closed session {row['session_id']} waits for a run"


def an_agent_that_is_free_holds_nothing(facts: Facts) -> None:
    for agent in facts.agents:
        held = [agent[f"current_{name}_id"] for name in ("task", "session", "worktree")]
        if agent["status"] in ("idle", "completed"):
            assert held == [None] * 3, f"agent {agent['name']} is {agent['status']} and holds {held}"


def a_run_is_live_exactly_while_its_agent_is(facts: Facts) -> None:
    agents, tasks, sessions = (facts.by_id(table) for table in ("agents", "tasks", "sessions"))
    live = {run["agent_id"]: run for run in facts.runs if run["completed_at"] is None}
    for run in live.values():
        agent, task = agents[run["agent_id"]], tasks.get(run["task_id"])
        assert agent["status"] == run["status"], f"run {run['id']} is {run['status']}, its agent {agent['status']}"
        assert agent["current_task_id"] == run["task_id"], f"run {run['id']} is of another task than its agent's"
        assert task is None or task["col"] == "in_progress", f"run {run['id']} is live, its card in {task['col']}"
        session = sessions.get(run["session_id"])
        assert session is None or session["is_active"], f"run {run['id']} is live in a closed session"
    for agent in facts.agents:
        assert (agent["status"] in LIVE) == (agent["id"] in live), f"{agent['name']} is {agent['status']}; runs: {live}"


def an_ended_run_says_how_it_ended(facts: Facts) -> None:
    for run in facts.runs:
        if run["completed_at"] is None:
            assert run["status"] in LIVE, _told(run)
            continue
        assert run["status"] in ("completed", "error"), _told(run)
        assert (run["status"] == "error") == (run["error_type"] is not None), _told(run)
        assert run["duration"] is not None, _told(run)


def calls_of_an_ended_run_are_closed(facts: Facts) -> None:
    ended = {run["id"] for run in facts.runs if run["completed_at"] is not None}
    unclosed = [call["id"] for call in facts.calls if call["agent_run_id"] in ended and call["status"] not in _CLOSED]
    assert not unclosed, f"calls of ended runs are open: {unclosed}"


def no_process_outlives_its_run(facts: Facts) -> None:
    """Only runs of this database count: the machine may have others."""
    ended = {run["id"] for run in facts.runs if run["completed_at"] is not None}
    orphans = {run: pids for run, pids in facts.marked.items() if run in ended and pids}
    assert not orphans, f"processes of ended runs are alive: {orphans}"


_CLOSED = ("complete", "error")


def _told(run: Row) -> str:
    return f"run {run['id']}: {run['status']}, {run['error_type']}, {run['completed_at']}, {run['duration']}"
