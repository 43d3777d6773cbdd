"""Tell an agent what it does not remember: what was asked and answered so far, and what was changed.

For programs that keep no conversation, whose conversation is gone, or for which it has grown too long.
"""

from pathlib import Path

from app.git.diffs import FileChange, changed_files, patch, printable
from app.git.refs import tree_of
from app.git.refusals import GitError, GitRefused
from app.git.snapshots import snapshot
from app.runs.claiming import Claim
from app.runs.configured import kept_of
from app.runs.measuring import base_of
from app.runs.rows import RunRow, runs_of_session
from app.runs.wording import task_words
from app.tasks.rows import get_task
from app.tasks.starting import prompt_of
from app.worktrees.rows import WorktreeRow, get_worktree

#: What a run is for whose prompt makes no sense to somebody who does not know what went before.
NEEDS_THE_PAST = ("rejection", "conflict", "message", "undo")
#: Of so many earlier runs something is told, the newest.
MOST_RUNS = 10
#: Characters of what was asked, of what was answered, and of the diff.
MOST_ASKED, MOST_ANSWERED, MOST_DIFF = 1_000, 2_000, 20_000
#: Files that are named.
MOST_FILES = 200

_BEGIN = "You go on with work that was begun before. You do not know that conversation, so here is what it came to."


async def retold(claim: Claim, prompt: str) -> str:
    """`prompt` after a summary of the session: its task, its earlier runs, and the changes in its worktree."""
    runs = await runs_of_session(claim.session_id)
    # What this run was asked first is the past too, where it is asked something else by now.
    earlier = [run for run in runs if run.id != claim.run_id or run.prompt not in prompt]
    worktree = await get_worktree(claim.worktree_id)
    parts = [await _task(claim, prompt), _BEGIN, _exchange(earlier), await _changes(worktree), f"# Now\n\n{prompt}"]
    return "\n\n".join(part for part in parts if part)


async def _task(claim: Claim, prompt: str) -> str:
    if claim.task_id is None:
        return ""
    kept = await kept_of(claim.run_id)
    task = task_words(kept.configuration, kept.prompt_values) or prompt_of(await get_task(claim.task_id))
    return "" if prompt.startswith(task) else task


def _exchange(runs: list[RunRow]) -> str:
    told = [_run(run) for run in reversed(runs[:MOST_RUNS])]
    if len(runs) > MOST_RUNS:
        told.insert(0, f"({len(runs) - MOST_RUNS} earlier runs are left out.)")
    return "\n\n".join(["# Asked and answered so far", *told]) if told else ""


def _run(run: RunRow) -> str:
    return f"## Asked\n\n{_short(run.prompt, MOST_ASKED)}\n\n## Answered\n\n{_short(_answer(run), MOST_ANSWERED)}"


def _answer(run: RunRow) -> str:
    if run.is_live:
        return "(not yet)"
    return run.result or (f"(ended early: {run.error or run.error_type})" if run.error_type else "(nothing was said)")


async def _changes(worktree: WorktreeRow) -> str:
    try:
        base = await base_of(worktree)
        if base is None:
            return ""
        before, after = await tree_of(worktree.root, base), (await snapshot(worktree.root)).tree
        changes = await changed_files(worktree.root, before, after)
        if not changes:
            return "# Changed so far\n\nNothing."
        diff = await _diff(worktree.root, before, after, changes)
    except (GitRefused, GitError, OSError) as error:
        return f"# Changed so far\n\nIt could not be read just now ({error}). Look at the files in this folder."
    return f"# Changed so far, against {worktree.base_branch}\n\n{_names(changes)}\n\n{diff}"


def _names(changes: list[FileChange]) -> str:
    names = [f"{change.status} {printable(change.path)}" for change in changes[:MOST_FILES]]
    if len(changes) > MOST_FILES:
        names.append(f"({len(changes) - MOST_FILES} more files)")
    return "\n".join(names)


async def _diff(root: Path, before: str, after: str, changes: list[FileChange]) -> str:
    """The patches of the first files, as many as fit."""
    left = MOST_DIFF
    patches = []
    for change in changes:
        if change.binary or left <= 0:
            continue
        one = await patch(root, before, after, change.path, change.old_path, limit_bytes=left)
        patches.append(one.text.decode("utf-8", "replace"))
        left -= len(one.text) if not one.truncated else left
    cut = "\n(The rest of the diff is left out: see `git diff`.)" if left <= 0 else ""
    return "".join(patches) + cut


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n[{len(text) - most} more characters]"
