"""Commits and refs: resolving, comparing, and moving by compare-and-swap only."""

from pathlib import Path

from app.git.refusals import GitError, GitRefused
from app.git.running import git

#: As the old value of a move: the ref must not exist yet.
ABSENT = ""


async def resolve(cwd: Path, revision: str, kind: str = "commit") -> str | None:
    """The oid `revision` (an oid or a full ref name) stands for, or None."""
    answer = await git(
        cwd, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{{kind}}}", check=False
    )
    return answer.text.splitlines()[-1] if answer.code == 0 else None


async def require(cwd: Path, revision: str, kind: str = "commit") -> str:
    """As `resolve`; `GitRefused` `unknown_revision` instead of None."""
    oid = await resolve(cwd, revision, kind)
    if oid is None:
        raise GitRefused("unknown_revision", f"{revision} is not a {kind} of this repository.")
    return oid


async def tree_of(cwd: Path, commit: str) -> str:
    """The oid of a commit's tree."""
    return await require(cwd, commit, "tree")


async def current_branch(cwd: Path) -> str | None:
    """The branch HEAD names, even one without a commit; None when detached."""
    answer = await git(cwd, "symbolic-ref", "--quiet", "HEAD", check=False)
    return answer.text.removeprefix("refs/heads/") if answer.code == 0 else None


async def move_ref(
    cwd: Path, ref: str, new: str, old: str | None = None, message: str = "agentpane", *, itself: bool | None = None
) -> None:
    """Set `ref` to `new` if it is at `old` (`ABSENT`: if there is none; None: whatever it is).

    `itself`: not the branch that it names, which only HEAD does unless told otherwise.
    Raises `GitRefused` `moved` when it is elsewhere by now, `busy` when another git holds it.
    """
    before = () if old is None else (old,)
    answer = await git(cwd, "update-ref", *_itself(ref, itself), "-m", message, ref, new, *before, check=False)
    if answer.code:
        await _explain(cwd, ref, old, answer.code, answer.err)


async def drop_ref(cwd: Path, ref: str, old: str) -> None:
    """Delete `ref` if it is at `old`; raises as `move_ref`. A ref that is gone already is fine."""
    answer = await git(cwd, "update-ref", *_itself(ref, None), "-d", ref, old, check=False)
    if answer.code and await resolve(cwd, ref, "object") is not None:
        await _explain(cwd, ref, old, answer.code, answer.err)


def _itself(ref: str, wanted: bool | None) -> tuple[str, ...]:
    """A branch that an agent has turned into another name for main must not take main along."""
    return ("--no-deref",) if (ref != "HEAD" if wanted is None else wanted) else ()


async def is_ancestor(cwd: Path, older: str, newer: str) -> bool:
    """Whether `newer` contains `older`."""
    answer = await git(cwd, "merge-base", "--is-ancestor", older, newer, check=False)
    if answer.code > 1:
        raise GitError(["merge-base", older, newer], answer.code, answer.err.decode(errors="replace"))
    return answer.code == 0


async def merge_base(cwd: Path, one: str, other: str) -> str | None:
    """The best common ancestor; None for unrelated histories."""
    answer = await git(cwd, "merge-base", one, other, check=False)
    if answer.code > 1:
        raise GitError(["merge-base", one, other], answer.code, answer.err.decode(errors="replace"))
    return answer.text.splitlines()[0] if answer.code == 0 else None


async def ahead_behind(cwd: Path, head: str, base: str) -> tuple[int, int]:
    """How many commits only `head` has, and how many only `base` has."""
    answer = await git(cwd, "rev-list", "--left-right", "--count", f"{head}...{base}", "--")
    ahead, behind = answer.text.split()
    return int(ahead), int(behind)


async def _explain(cwd: Path, ref: str, old: str | None, code: int, err: bytes) -> None:
    now = await resolve(cwd, ref, "object")
    if old is not None and now != (old or None):
        raise GitRefused("moved", f"{ref} is at {now or 'nothing'} by now, not at {old or 'nothing'}.")
    if b".lock'" in err:
        raise GitRefused("busy", f"Another git is just changing {ref}; try again in a moment.")
    raise GitError(["update-ref", ref], code, err.decode(errors="replace"))
