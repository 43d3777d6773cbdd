"""Repositories and changes of every kind, for the matrix of merges."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tests.git.repositories import Content, commit, make_repository, user, write

Step = Callable[[Path], object]
START: dict[str, Content] = {
    "README.md": "# Sample\n",
    "src/a.py": "".join(f"a{n} = {n}\n" for n in range(20)),
    "src/b.py": "b = 1\n",
    "run": "#!/bin/sh\n",
    "logo.png": b"\x89PNG\0\1\2",
    ".gitignore": "*.log\n.env\n",
}
PATCHED = {"src/a.py": "a0 = 'new'\n" + "".join(f"a{n} = {n}\n" for n in range(1, 20)), "src/new.py": "new = 1\n"}


HOOKS = (
    "pre-commit",
    "pre-merge-commit",
    "commit-msg",
    "prepare-commit-msg",
    "post-merge",
    "post-commit",
    "post-checkout",
    "pre-rebase",
    "reference-transaction",
    "post-index-change",
    "post-rewrite",
)


def many(*steps: Step) -> Step:
    return lambda root: [step(root) for step in steps]


def puts(**files: Content) -> Step:
    return lambda root: write(root, files)


def writes(files: dict[str, Content]) -> Step:
    return lambda root: write(root, files)


def commits(files: dict[str, Content]) -> Step:
    return lambda root: commit(root, files, "Meanwhile")


def runs(*args: str, check: bool = True) -> Step:
    return lambda root: user(root, *args, check=check)


def renames(before: str, after: str) -> Step:
    def rename(root: Path) -> None:
        (root / after).parent.mkdir(parents=True, exist_ok=True)
        (root / before).rename(root / after)

    return rename


def links(name: str, target: str) -> Step:
    def link(root: Path) -> None:
        if os.path.lexists(root / name):
            shutil.rmtree(root / name) if (root / name).is_dir() else (root / name).unlink()
        (root / name).symlink_to(target)

    return link


def has_mode(name: str, mode: int) -> Step:
    return lambda root: (root / name).chmod(mode)


def nothing(root: Path) -> None:
    """Leave it."""


def is_in_use(root: Path) -> None:
    """A person in the middle of their own work: staged, edited, deleted, untracked, ignored, and put aside."""
    write(root, {"src/b.py": "put aside\n"})
    user(root, "stash", "push", "-q", "-m", "mine")
    write(root, {"README.md": "staged\n", "staged.txt": "new\n"})
    user(root, "add", "README.md", "staged.txt")
    write(
        root, {"README.md": "and edited\n", "src/b.py": None, "notes.txt": "n\n", "debug.log": "l\n", ".env": "K=1\n"}
    )
    (root / "empty").mkdir()


def has_main_elsewhere(root: Path) -> None:
    user(root, "switch", "-q", "-c", "mine")
    user(root, "worktree", "add", "-q", root.parent / "another copy", "main")
    is_in_use(root.parent / "another copy")


def has_submodule(root: Path) -> None:
    library = make_repository(root.parent / "library", {"lib.c": "1\n"})
    user(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    user(root, "commit", "-q", "-m", "Library")
    commit(library, {"lib.c": "2\n"})
    user(root / "lib", "fetch", "-q")


def bumps_submodule(root: Path) -> None:
    newer = user(root.parents[1] / "lib", "rev-parse", "origin/main")
    user(root, "update-index", "--cacheinfo", f"160000,{newer},lib")
    user(root, "commit", "-q", "-m", "Newer library")


def has_failing_hooks(folder: str) -> Step:
    def plant(root: Path) -> None:
        for name in HOOKS:
            write(
                root, {f"{folder}/{name}": '#!/bin/sh\necho ran >> "$(git rev-parse --git-common-dir)/ran"\nexit 1\n'}
            )
            (root / folder / name).chmod(0o755)

    return plant


def is_shallow(root: Path) -> None:
    """Replaced by a clone of depth one of itself."""
    commit(root, {"src/b.py": "b = 2\n"})
    whole = root.rename(root.with_name("whole"))
    user(root.parent, "clone", "-q", "--depth", "1", f"file://{whole}", str(root))
    assert user(root, "rev-parse", "--is-shallow-repository") == "true"


def has_many_files(root: Path) -> None:
    for n in range(10_000):
        (root / f"d{n // 100}").mkdir(exist_ok=True)
        (root / f"d{n // 100}" / f"{n}.txt").write_text(f"{n}\n")
    user(root, "add", "-A")
    user(root, "commit", "-q", "-m", "Many")


def changes_many_files(root: Path) -> None:
    for n in range(0, 10_000, 10):
        (root / f"d{n // 100}" / f"{n}.txt").write_text(f"{n} changed\n")


def converts_ends(setting: str) -> Step:
    def convert(root: Path) -> None:
        user(root, "config", "core.autocrlf", setting)
        commit(root, {".gitattributes": "*.bat text eol=crlf\n*.sh text eol=lf\n*.bin -text\n", "run.bat": "one\r\n"})

    return convert


class Case(Struct, frozen=True, kw_only=True):
    #: In the person's copy, before it becomes a project.
    arrange: Step = nothing
    #: In the task's worktree, by the agent.
    work: Step = writes(PATCHED)
    #: In the person's copy, before the look at the review page.
    meanwhile: Step = nothing
    #: The code of the refusal, and what its sentence names; else it is merged.
    refused: str = ""
    named: str = ""


ODD = 'a b/é ü/"quoted"\t\\n.txt'
CASES: dict[str, Case] = {
    "dirty checkout": Case(meanwhile=is_in_use),
    "dirty checkout, base ahead": Case(meanwhile=many(commits({"other.txt": "o\n"}), is_in_use)),
    "dirty file in the way": Case(meanwhile=puts(**{"src/a.py": "mine\n"}), refused="CHECKOUT_DIRTY", named="src/a.py"),
    "ignored file in the way": Case(
        work=many(writes({"x.log": "tracked\n"}), runs("add", "-f", "x.log")),
        meanwhile=writes({"x.log": "mine\n"}),
        refused="CHECKOUT_DIRTY",
        named="x.log",
    ),
    "detached HEAD": Case(meanwhile=many(runs("checkout", "-q", "--detach"), is_in_use)),
    "another branch": Case(meanwhile=many(runs("switch", "-q", "-c", "mine"), is_in_use)),
    "base in another worktree": Case(meanwhile=has_main_elsewhere),
    "submodule beside the change": Case(arrange=has_submodule, meanwhile=writes({"lib/lib.c": "mine\n"})),
    "submodule brought forward": Case(arrange=has_submodule, work=many(bumps_submodule, writes(PATCHED))),
    "submodule on both sides": Case(
        arrange=has_submodule,
        work=bumps_submodule,
        meanwhile=many(
            lambda root: commit(root / "lib", {"lib.c": "mine\n"}),
            runs("commit", "-q", "-a", "-m", "Mine"),
        ),
        refused="WORKTREE_MERGE_CONFLICT",
        named="lib",
    ),
    "renamed and deleted": Case(
        work=many(renames("src/a.py", "lib/core/a.py"), writes({"src/b.py": None, "run": None})),
        meanwhile=commits({"src/a.py": str(START["src/a.py"]) + "added = 'on main'\n"}),
    ),
    "the last file of a folder": Case(
        work=writes({"src/a.py": None, "src/b.py": None}), meanwhile=writes({"notes": ""})
    ),
    "file becomes folder": Case(work=many(writes({"run": None}), writes({"run/it": "#!\n"}))),
    "folder becomes file": Case(work=many(lambda root: shutil.rmtree(root / "src"), writes({"src": "now a file\n"}))),
    "deleted there, changed here": Case(
        work=writes({"src/b.py": None}),
        meanwhile=commits({"src/b.py": "b = 2\n"}),
        refused="WORKTREE_MERGE_CONFLICT",
        named="src/b.py",
    ),
    "binary files": Case(work=writes({"logo.png": b"\x89PNG\0\3", "new.bin": bytes(range(256)) * 99, "zero": b""})),
    "binary on both sides": Case(
        work=writes({"logo.png": b"\x89PNG\0\3"}),
        meanwhile=commits({"logo.png": b"\x89PNG\0\4"}),
        refused="WORKTREE_MERGE_CONFLICT",
        named="logo.png",
    ),
    "executable bits": Case(work=many(has_mode("run", 0o755), writes({"go": "#!\n"}), has_mode("go", 0o755))),
    "an executable bit is taken": Case(
        arrange=many(has_mode("run", 0o755), runs("commit", "-qam", "Runs")),
        work=has_mode("run", 0o644),
    ),
    "symlinks": Case(
        arrange=many(links("way", "src/a.py"), runs("add", "-A"), runs("commit", "-qm", "Link")),
        work=many(links("way", "nowhere at all"), links("run", "src"), links("src/up", "../..")),
    ),
    "folder becomes symlink": Case(work=links("src", "/nowhere")),
    "CRLF, autocrlf off": Case(
        arrange=converts_ends("false"),
        work=writes(
            {
                "run.bat": "one\r\ntwo\r\n",
                "new.bat": "a\nb\n",
                "x.sh": "a\r\nb\r\n",
                "x.bin": b"\r\n\n",
                "m.txt": "a\r\nb\n",
            }
        ),
    ),
    "CRLF, autocrlf on": Case(
        arrange=converts_ends("true"),
        work=writes(
            {"run.bat": "one\r\ntwo\r\n", "README.md": "a\r\nb\r\n", "new.txt": "a\r\nb\r\n", "x.bin": b"\r\n\n"}
        ),
    ),
    "CRLF, autocrlf input": Case(
        arrange=converts_ends("input"), work=writes({"README.md": "a\r\nb\r\n", "new.bat": "a\nb\r\n"})
    ),
    "attributes come with the change": Case(
        work=writes({".gitattributes": "*.txt text eol=crlf\n", "new.txt": "a\nb\n"}),
        meanwhile=commits({"other.md": "o\n"}),
    ),
    "odd names": Case(
        work=many(
            writes({ODD: "odd\n", " lead": "", "-f": "", ":(top)x": "", "日本.md": "\n"}),
            writes({os.fsdecode(b"\xff\xfe"): "latin\n"}),
        )
    ),
    "odd names in the way": Case(
        work=writes({ODD: "o\n"}), meanwhile=writes({ODD: "mine\n"}), refused="CHECKOUT_DIRTY", named="é ü"
    ),
    "shallow clone": Case(arrange=is_shallow, meanwhile=commits({"other.txt": "o\n"})),
    "hooks that fail": Case(meanwhile=has_failing_hooks(".git/hooks")),
    "core.hooksPath": Case(
        arrange=many(
            has_failing_hooks("tools/hooks"),
            runs("add", "-A"),
            runs("commit", "-qm", "Hooks"),
            runs("config", "core.hooksPath", "tools/hooks"),
        ),
    ),
    "10,000 files": Case(arrange=has_many_files, work=changes_many_files, meanwhile=is_in_use),
}
