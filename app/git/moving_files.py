"""The few steps of an advance that change a checkout. They run in a thread, to their end."""

import shutil
from pathlib import Path

from msgspec import Struct

from app.git.index_locks import OWN_INDEX
from app.git.refusals import GitError, GitRefused
from app.git.running import Output, git_now


class Advance(Struct, frozen=True):
    """A checkout whose `branch` goes from `old` to `new`."""

    checkout: Path
    git_dir: Path
    branch: str
    old: str
    new: str

    @property
    def index(self) -> Path:
        """Our index: see `own_index`."""
        return self.git_dir / OWN_INDEX


def bring_files_and_ref(plan: Advance, held: int) -> None:
    """Files, index, ref. `held` is the descriptor of the index lock, which git inherits.

    Raises `GitRefused` with everything as it was, `GitError` when it stopped half way.
    """
    kept = plan.git_dir / f"{OWN_INDEX}-old"
    shutil.copy2(plan.git_dir / "index", kept)
    bring_files(plan, held)
    ref = git_now(
        plan.checkout,
        "update-ref",
        "-m",
        "agentpane: merge",
        f"refs/heads/{plan.branch}",
        plan.new,
        plan.old,
        check=False,
    )
    if ref.code:
        _take_back(plan, held, kept)
        raise GitRefused("moved", f"{plan.branch} moved just now: {ref.err.decode(errors='replace').strip()}")


def bring_files(plan: Advance, held: int) -> None:
    """Files and index, from `old` to `new`. Raises as `bring_files_and_ref`."""
    done = _read_tree(plan, plan.old, plan.new, held)
    if done.code:
        text = done.err.decode(errors="replace").strip()
        if half := _changed_already(plan):
            raise GitError(["read-tree", *half], done.code, text)
        raise GitRefused("in_the_way", f"git would not change the files: {text}")
    plan.index.replace(plan.git_dir / "index")


def _read_tree(plan: Advance, start: str, goal: str, held: int) -> Output:
    return git_now(plan.checkout, "read-tree", "-m", "-u", start, goal, index=plan.index, keep_open=[held], check=False)


def _changed_already(plan: Advance) -> list[str]:
    """Paths of the change that are not as in `old` any more: a full disk stops git in the middle."""
    shutil.copy2(plan.git_dir / "index", plan.index)
    git_now(plan.checkout, "update-index", "-q", "--refresh", index=plan.index, check=False)
    edited = git_now(plan.checkout, "diff-files", "-z", "--name-only", index=plan.index).fields
    listed = git_now(plan.checkout, "diff-tree", "-r", "-z", "--no-renames", "--name-status", plan.old, plan.new).fields
    changes = dict(zip(listed[1::2], listed[0::2], strict=True))
    added = [path for path, status in changes.items() if status == "A" and (plan.checkout / path).is_file()]
    return sorted({*edited} & changes.keys()) + added


def _take_back(plan: Advance, held: int, kept: Path) -> None:
    shutil.copy2(plan.git_dir / "index", plan.index)
    done = _read_tree(plan, plan.new, plan.old, held)
    if done.code:
        # Somebody edited a file in these milliseconds: with the old index it shows as their edit, nothing is lost.
        kept.replace(plan.git_dir / "index")
        raise GitError(["read-tree"], done.code, done.err.decode(errors="replace"))
    plan.index.replace(plan.git_dir / "index")
