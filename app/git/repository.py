"""What a folder is to git, and the branches it has."""

import os
from pathlib import Path

from msgspec import Struct

from app.git.refs import current_branch, resolve
from app.git.refusals import GitRefused
from app.git.running import Output, git


class Repository(Struct, frozen=True):
    """A working copy, seen from a folder in it. All paths have their symlinks resolved."""

    #: The top folder of the working copy.
    root: Path
    #: The folder asked about, below `root`: `""`, or `"app/"` with its closing slash.
    prefix: str
    #: Shared by all worktrees of the repository: one repository has one `common_dir`.
    common_dir: Path
    #: Of this working copy alone; equals `common_dir` in the main one.
    git_dir: Path
    #: None when HEAD is detached.
    head_branch: str | None
    #: None when there is no commit yet.
    head: str | None
    #: As the repository's configuration has them, else None.
    user_name: str | None
    user_email: str | None

    @property
    def path(self) -> Path:
        """The folder asked about: the key under which it is known once, whatever symlinks led to it."""
        return self.root / self.prefix

    @property
    def has_commit(self) -> bool:
        """Whether a branch can begin here."""
        return self.head is not None

    @property
    def is_linked(self) -> bool:
        """Whether this is a linked worktree of another copy."""
        return self.git_dir != self.common_dir


class Branch(Struct, frozen=True):
    """A local branch. `committed_at` is in seconds since 1970."""

    name: str
    oid: str
    committed_at: int


async def inspect(path: Path, *, empty_ok: bool = False) -> Repository:
    """Look at the folder `path`.

    Raises `GitRefused`: `not_a_repository`, `bare`, `misconfigured`, `dubious_ownership`, `not_writable`,
    and `no_commit` unless `empty_ok`.
    """
    root, prefix, common_dir, git_dir = await _places(_existing(path))
    head = await resolve(root, "HEAD")
    if head is None and not empty_ok:
        raise GitRefused("no_commit", f"{root} has no commit yet; make a first one, then agents can branch from it.")
    for folder in (common_dir, common_dir / "objects", common_dir / "refs"):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise GitRefused("not_writable", f"{folder} cannot be written to by this server's user.")
    identity = await _identity(root)
    return Repository(
        root=root,
        prefix=prefix,
        common_dir=common_dir,
        git_dir=git_dir,
        head_branch=await current_branch(root),
        head=head,
        user_name=identity.get("user.name"),
        user_email=identity.get("user.email"),
    )


async def branches(repo: Repository) -> list[Branch]:
    """The local branches, the one with the latest commit first."""
    answer = await git(
        repo.root,
        "for-each-ref",
        "--sort=-committerdate",
        "--format=%(refname) %(objectname) %(committerdate:unix)",
        "refs/heads/",
    )
    rows = (line.split(" ") for line in answer.text.splitlines())
    return [Branch(ref.removeprefix("refs/heads/"), oid, int(when or 0)) for ref, oid, when in rows]


async def branch_oid(repo: Repository, name: str) -> str | None:
    """The commit `name` points to, or None when there is no such local branch."""
    return await resolve(repo.root, f"refs/heads/{name}")


async def default_branch(repo: Repository) -> str | None:
    """The branch most likely meant as the base: what the remote calls its default, else main or master,
    else the one checked out."""
    remote = await git(repo.root, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD", check=False)
    guesses = [remote.text.removeprefix("refs/remotes/origin/"), "main", "master", repo.head_branch or ""]
    names = {branch.name for branch in await branches(repo)}
    return next((name for name in guesses if name in names), None)


async def check_branch_name(name: str) -> None:
    """Raises `GitRefused` `bad_branch_name` for what git does not take as a branch, or would take as a switch."""
    fits = not name.startswith("-") and name != "HEAD" and "\0" not in name
    if not fits or (await git(Path("/"), "check-ref-format", f"refs/heads/{name}", check=False)).code:
        raise GitRefused("bad_branch_name", f"'{name}' is not a name git accepts for a branch.")


async def branch_in_the_way(repo: Repository, name: str) -> str | None:
    """The branch that keeps `name` from being made: the same (also but for case, which macOS and Windows cannot
    tell apart), or one that is its folder or lies in it."""
    wanted = name.casefold()
    for branch in await branches(repo):
        other = branch.name.casefold()
        if other == wanted or other.startswith(wanted + "/") or wanted.startswith(other + "/"):
            return branch.name
    return None


def _existing(path: Path) -> Path:
    folder = path.expanduser()
    if not folder.is_dir():
        raise GitRefused("not_a_repository", f"{path} is not a folder.")
    return folder.resolve()


async def _places(folder: Path) -> tuple[Path, str, Path, Path]:
    kind = await git(folder, "rev-parse", "--is-bare-repository", "--is-inside-work-tree", check=False)
    if kind.code:
        raise await _why_not(folder, kind)
    if kind.text != "false\ntrue":
        raise _bare_or_inside(folder, kind)
    questions = ("--show-toplevel", "--show-prefix", "--git-common-dir", "--absolute-git-dir")
    answer = await git(folder, "rev-parse", "--path-format=absolute", *questions)
    lines = os.fsdecode(answer.out).split("\n")[:-1]
    if len(lines) != len(questions):
        raise GitRefused("not_a_repository", f"{folder} has a line break in its path, which git cannot report.")
    root, prefix, common_dir, git_dir = lines
    if not (Path(root) / ".git").exists():
        raise GitRefused("misconfigured", f"core.worktree leads git from {folder} to {root}; unset it first.")
    return Path(root).resolve(), prefix, Path(common_dir).resolve(), Path(git_dir).resolve()


async def _why_not(folder: Path, answer: Output) -> GitRefused:
    # git tells foreign ownership by its message only; the same question with the folder trusted tells it by code.
    trusted = await git(folder, "-c", "safe.directory=*", "rev-parse", "--git-dir", check=False)
    if trusted.code == 0:
        return GitRefused(
            "dubious_ownership",
            f"{folder} belongs to another user, so git refuses it. If you trust it, run: "
            f"git config --global --add safe.directory '{folder}'",
        )
    return GitRefused("not_a_repository", f"{folder} is not a git repository.")


def _bare_or_inside(folder: Path, answer: Output) -> GitRefused:
    if answer.text.startswith("true"):
        return GitRefused("bare", f"{folder} is a bare repository; choose a clone that has its files.")
    return GitRefused("not_a_repository", f"{folder} lies inside a .git folder; choose the folder above it.")


async def _identity(root: Path) -> dict[str, str]:
    answer = await git(root, "config", "-z", "--get-regexp", r"^user\.(name|email)$", check=False)
    return dict(row.partition("\n")[::2] for row in answer.fields)
