"""What users and agents do to files and branches, in their own programs: every way there is to leave a working copy.

Each deed is a function of a folder, a number and the ledger. A deed that git refuses has not happened.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.git.repositories import USER_ENVIRONMENT
from tests.lifecycles.ledger import Ledger

#: Files that everybody edits, so that branches conflict.
SHARED = ("README.md", "src/app.py", "data/ä ö.txt")
Deed = Callable[[Path, int, str, Ledger], None]


def writes(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """A new file."""
    _write(folder / f"notes/{number}.txt", number, who, ledger)


def edits(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """A file that others edit too."""
    _write(folder / SHARED[number % len(SHARED)], number, who, ledger)


def deletes(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """A file goes away."""
    files = sorted(path for path in folder.glob("*/*.txt") if path.is_file())
    if files:
        files[number % len(files)].unlink()


def renames(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """A file gets another name, and may be run."""
    files = sorted(path for path in folder.glob("*/*.txt") if path.is_file())
    if files:
        chosen = files[number % len(files)]
        chosen.chmod(0o755)
        chosen.rename(chosen.with_name(f"renamed {number}.txt"))


def links(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """A symbolic link that leads nowhere."""
    (folder / f"link-{number}").symlink_to(f"nowhere-{number}")


def stages(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """Everything is staged."""
    _git(folder, "add", "-A")


def commits(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """A commit of one new file."""
    writes(folder, number, who, ledger)
    if _git(folder, "add", "-A") and _git(folder, "commit", "-q", "-m", f"Commit {number}"):
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        ledger.committed(done.stdout.strip(), who)


def detaches(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """HEAD is on no branch any more."""
    _git(folder, "checkout", "-q", "--detach")


def branches_off(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """Work goes on on a branch of its own."""
    _git(folder, "switch", "-q", "-c", f"side-{number}")


def goes_back(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """The branch before."""
    _git(folder, "switch", "-q", "-")


def switches(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """Any branch that is checked out nowhere else, also one of a task."""
    listed = subprocess.run(
        ["git", "for-each-ref", "--format=%(refname:short)", "refs/heads"],
        cwd=folder, env=USER_ENVIRONMENT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    _git(folder, "switch", "-q", listed[number % len(listed)])


def returns_to_main(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """The user's own branch, where merges arrive."""
    _git(folder, "switch", "-q", "main")


def stashes(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """Everything is put aside."""
    _git(folder, "stash", "push", "-q", "-u")


def unstashes(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """And taken out again."""
    _git(folder, "stash", "pop", "-q")


def leaves_a_lock(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """A git of theirs was killed, or is still at work."""
    _git_dir(folder).joinpath("index.lock").touch()


def takes_the_lock_away(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """Their git has ended."""
    _git_dir(folder).joinpath("index.lock").unlink(missing_ok=True)


def nests_a_repository(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """A repository inside, with a commit of its own."""
    inner = folder / f"nested-{number}"
    _git(folder, "init", "-q", str(inner))
    _write(inner / "inside.txt", number, who, ledger)
    _git(inner, "add", "-A")
    _git(inner, "commit", "-q", "-m", "Inside")


def merges_halfway(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """The base branch is merged in, with conflicts or without, and not committed."""
    _git(folder, "merge", "-q", "--no-commit", "--no-ff", "main")


def rebases(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """The work is put on top of the base branch; a conflict stops it half way."""
    _git(folder, "rebase", "-q", "main")


def gives_up(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """Whatever is half done is taken back."""
    for unfinished in ("merge", "rebase"):
        _git(folder, unfinished, "--abort")


def goes_back_a_commit(folder: Path, number: int, who: str, ledger: Ledger) -> None:
    """The last commit is thrown away."""
    _git(folder, "reset", "-q", "--hard", "HEAD~1")


BY_AGENTS: tuple[Deed, ...] = (
    writes, edits, edits, deletes, renames, links, stages, commits, commits, detaches, branches_off, goes_back,
    leaves_a_lock, nests_a_repository, merges_halfway, rebases, gives_up, goes_back_a_commit,
)  # fmt: skip
BY_THE_USER: tuple[Deed, ...] = (
    writes, edits, edits, deletes, renames, links, stages, commits, commits, detaches, branches_off, goes_back,
    switches, returns_to_main, returns_to_main, stashes, unstashes, leaves_a_lock, takes_the_lock_away,
    takes_the_lock_away, nests_a_repository, gives_up,
)  # fmt: skip
#: What may happen to a worktree while no agent works in it: a person looks into it.
BY_A_VISITOR: tuple[Deed, ...] = (writes, edits, deletes, stages, commits, detaches, switches, leaves_a_lock)


def _write(path: Path, number: int, who: str, ledger: Ledger) -> None:
    text = f"text {number} of {who}\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    ledger.wrote(path, text, who)


def _git(folder: Path, *arguments: str) -> bool:
    # GIT_EDITOR: a rebase that goes on by itself would open one.
    environment = {**USER_ENVIRONMENT, "GIT_EDITOR": "true"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, check=False)
    return done.returncode == 0


def _git_dir(folder: Path) -> Path:
    found = subprocess.run(
        ["git", "rev-parse", "--absolute-git-dir"], cwd=folder, capture_output=True, text=True, check=True
    )
    return Path(found.stdout.strip())
