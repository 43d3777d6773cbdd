"""What a reviewer is shown: four object ids that name the change exactly, and the digest an approval is bound to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from app.errors import Conflict as Refusal
from app.git.diffs import FileChange, changed_files, printable
from app.git.merging import approval_digest
from app.git.refs import ahead_behind, merge_base, require, resolve, tree_of
from app.git.refusals import GitError, GitRefused
from app.git.snapshots import anchor, snapshot
from app.git.trial_merges import Conflict, merge_tree
from app.git.unresolved import left_unresolved, marked_files
from app.tasks.rows import TaskRow
from app.worktrees.rows import WorktreeRow, get_worktree


class Comparison(Struct, frozen=True):
    """The state of a task's branch against its base branch at one moment."""

    worktree: WorktreeRow
    #: Tip of the base branch.
    base: str
    #: Tip of the task's branch.
    head: str
    #: Where the two parted; the diff is from here.
    fork: str
    #: Tree of the worktree, uncommitted files and all.
    tree: str
    #: Tree of the merge; with conflict marks where it conflicts.
    merged: str
    digest: str
    ahead: int
    behind: int
    changes: tuple[FileChange, ...]
    conflicts: tuple[Conflict, ...]
    #: Whether the branch brings nothing that the base has not.
    nothing_to_merge: bool
    #: Files in which the branch leaves a conflict unresolved, as pages show paths.
    unresolved: tuple[str, ...]

    @property
    def root(self) -> Path:
        """The worktree's folder, where git is asked."""
        return self.worktree.root


async def compare(task: TaskRow) -> Comparison:
    """Look at the task's branch now. `TASK_NO_DIFF` when there is no worktree to look at."""
    worktree = await get_worktree(task.worktree_id) if task.worktree_id else None
    if worktree is None or not worktree.root.is_dir():
        raise Refusal("This task has no worktree, so there is no diff to show.", "TASK_NO_DIFF")
    with while_it_is_there():
        return await _compare(worktree)


@contextmanager
def while_it_is_there() -> Iterator[None]:
    """A cancel or an approval may take the folder away while somebody looks: 409 `TASK_NO_DIFF` then, and no fault."""
    try:
        yield
    except (GitRefused, GitError, OSError) as error:
        raise Refusal(f"The diff cannot be made: {error}", "TASK_NO_DIFF") from error


async def _compare(worktree: WorktreeRow) -> Comparison:
    root = worktree.root
    base = await require(root, f"refs/heads/{worktree.base_branch}")
    taken = await snapshot(root)
    head = taken.head or await require(root, "HEAD")
    await anchor(root, f"refs/agentpane/snapshots/{worktree.id}", taken.tree)
    fork = await merge_base(root, base, head) or base
    merge = await merge_tree(root, base, head)
    ahead, behind = await ahead_behind(root, head, base)
    fork_tree = await tree_of(root, fork)
    changes = tuple(await changed_files(root, fork_tree, taken.tree))
    return Comparison(
        worktree=worktree,
        base=base,
        head=head,
        fork=fork,
        tree=taken.tree,
        merged=merge.marked_tree,
        digest=approval_digest(base, head, taken.tree, merge.marked_tree),
        ahead=ahead,
        behind=behind,
        changes=changes,
        conflicts=merge.conflicts,
        nothing_to_merge=not merge.conflicts and merge.marked_tree == await tree_of(root, base),
        unresolved=await _unresolved(root, base, head, fork_tree, taken.tree, changes),
    )


async def _unresolved(
    root: Path, base: str, head: str, fork_tree: str, tree: str, changes: tuple[FileChange, ...]
) -> tuple[str, ...]:
    """Files that got conflict marks, and those whose conflict was committed as it was."""
    marked = await marked_files(root, tree, {change.path for change in changes if change.status != "D"})
    marked -= await marked_files(root, fork_tree, marked)
    return tuple(sorted({*map(printable, marked), *await left_unresolved(root, base, head, tree)}))


async def has_uncommitted(comparison: Comparison) -> bool:
    """Whether the worktree holds files that no commit has, so that a merge would leave them out."""
    return await resolve(comparison.root, f"{comparison.head}^{{tree}}", "tree") != comparison.tree
