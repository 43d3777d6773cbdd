"""Real repositories to try things on."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from app.git.commits import Identity

ADA = Identity("Ada Lovelace", "ada@example.org")

#: git as a user of an empty machine runs it, with a name set so that commits can be made.
USER_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Una User",
    "GIT_AUTHOR_EMAIL": "una@example.org",
    "GIT_COMMITTER_NAME": "Una User",
    "GIT_COMMITTER_EMAIL": "una@example.org",
    "LC_ALL": "C.UTF-8",
}

Content = str | bytes | None


def user(cwd: Path, *args: str | Path, check: bool = True) -> str:
    """Run git as the person who owns the repository does, without our switches; its output, stripped."""
    return os.fsdecode(_run(cwd, args, check)).strip()


def fields(cwd: Path, *args: str | Path) -> list[str]:
    """The same for a `-z` command: what it lists, each as it is."""
    return [os.fsdecode(field) for field in _run(cwd, args, True).split(b"\0")[:-1]]


def _run(cwd: Path, args: tuple[str | Path, ...], check: bool) -> bytes:
    done = subprocess.run(["git", *args], cwd=cwd, env=USER_ENVIRONMENT, capture_output=True, check=False)
    assert not check or done.returncode == 0, f"git {args}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def make_repository(path: Path, files: Mapping[str, Content] | None = None, branch: str = "main") -> Path:
    """A repository at `path` with `files` in one commit on `branch`; no commit when `files` is empty."""
    path.mkdir(parents=True, exist_ok=True)
    user(path, "init", "-q", "-b", branch)
    chosen = {"README.md": "# Sample\n"} if files is None else files
    if chosen:
        commit(path, chosen, "First")
    return path


def write(root: Path, files: Mapping[str, Content]) -> None:
    """Write `files` below `root`; None deletes."""
    for name, content in files.items():
        file = root / name
        if content is None:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)


def commit(root: Path, files: Mapping[str, Content], message: str = "Change") -> str:
    """Write `files` and commit everything as the user; the oid of the commit."""
    write(root, files)
    user(root, "add", "-A")
    user(root, "commit", "-q", "--allow-empty", "-m", message)
    return user(root, "rev-parse", "HEAD")


def edit_unnoticed(root: Path, name: str) -> None:
    """Change a file without a change of its size or times, in the instant in which the index was written."""
    file, index = root / name, root / ".git" / "index"
    user(root, "config", "core.trustctime", "false")
    instant = (1_700_000_000_000_000_000, 1_700_000_000_000_000_000)
    os.utime(file, ns=instant)
    user(root, "update-index", "--refresh")
    os.utime(index, ns=instant)
    file.write_bytes(file.read_bytes().swapcase())
    os.utime(file, ns=instant)
    assert file.stat().st_mtime_ns == index.stat().st_mtime_ns


State = dict[str, dict[str, tuple[int, bytes]]]


def state(root: Path) -> State:
    """Everything a refusal must leave alone: files with modes, index, HEAD, refs, stash, locks and unfinished work."""
    git_dir = Path(user(root, "rev-parse", "--absolute-git-dir"))
    common = Path(user(root, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    files = {str(path.relative_to(root)): _content(path) for path in sorted(root.rglob("*")) if _counts(root, path)}
    own = {path.name: _content(path) for path in git_dir.iterdir() if path.is_file()}
    refs = {str(path.relative_to(common)): _content(path) for path in (common / "refs").rglob("*") if path.is_file()}
    return {"files": files, "git_dir": own, "refs": refs}


def _counts(root: Path, path: Path) -> bool:
    return ".git" not in path.relative_to(root).parts


def _content(path: Path) -> tuple[int, bytes]:
    mode = path.lstat().st_mode
    if path.is_symlink():
        return mode, os.fsencode(path.readlink())
    return mode, path.read_bytes() if path.is_file() else b""
