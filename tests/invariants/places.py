"""Worktrees: the row, the card, git's list and the folder say the same."""

from collections import Counter

from app.git.checkouts import Checkout
from tests.invariants.facts import Facts

_MARK = "agentpane:worktree:"


def tasks_and_worktrees_agree(facts: Facts) -> None:
    worktrees = facts.by_id("worktrees")
    for task in facts.tasks:
        worktree = worktrees.get(task["worktree_id"])
        if task["worktree_id"] is None:
            continue
        assert worktree is not None, f"task {task['id']} names a worktree that has no row"
        assert worktree["task_id"] == task["id"], f"task {task['id']} names the worktree of {worktree['task_id']}"
        if worktree["status"] in ("creating", "active", "merging"):
            assert task["branch"] == worktree["branch"], f"{task['branch']} in {worktree['branch']}'s worktree"
        if task["col"] == "waiting_approval":
            assert worktree["status"] in ("active", "merging", "error"), f"it waits with {worktree['status']}"
        if task["col"] == "verified":
            assert worktree["status"] in ("removing", "removed", "error"), f"it is verified in {worktree['status']}"
    in_use = Counter(w["task_id"] for w in facts.worktrees if w["status"] != "removed" and w["task_id"])
    assert all(n == 1 for n in in_use.values()), f"tasks with more than one worktree: {in_use}"


def worktrees_are_where_their_rows_say(facts: Facts) -> None:
    copies = {str(copy.path): copy for found in facts.copies.values() for copy in found}
    in_use = {row["path"] for row in facts.worktrees if row["status"] != "removed"}
    for row in facts.worktrees:
        copy = copies.get(row["path"])
        told = f"worktree {row['id']} is {row['status']} ({row['last_error']}); {row['path']} in git: {copy}"
        if row["status"] in ("active", "merging"):
            assert row["path"] in facts.folders, f"its folder is gone: {told}"
            assert copy is not None, told
            assert _owner(copy) == row["id"], f"it is not marked as that: {told}"
        if row["status"] == "removed" and row["path"] not in in_use:
            assert row["path"] not in facts.folders, f"its folder is there: {told}"
            assert copy is None, told


def every_worktree_of_ours_has_its_row(facts: Facts) -> None:
    rows = facts.by_id("worktrees")
    for copy in (copy for found in facts.copies.values() for copy in found):
        owner = _owner(copy)
        if owner is not None:
            row = rows.get(owner)
            assert row is not None, f"{copy.path} is marked as a worktree without a row"
            assert row["status"] != "removed", f"{copy.path} is marked as a worktree that is removed"


def _owner(copy: Checkout) -> str | None:
    reason = copy.lock_reason or ""
    return reason.removeprefix(_MARK) if reason.startswith(_MARK) else None
