"""Writes or checks the lock files. They name versions and hashes for every platform, and no index."""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

LOCKS = {
    "requirements.lock": ["--extra", "acp", "--extra", "claude"],
    "requirements-test.lock": ["--extra", "acp", "--extra", "claude", "--extra", "studio", "--extra", "test"],
}
COMPILE = [
    *(sys.executable, "-I", "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"),
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"),
]
#: What uv says when no package index can be reached.
OFFLINE = (
    "error sending request",
    "dns error",
    "failed to lookup address",
    "could not connect",
    "network is unreachable",
)


def main(arguments: list[str]) -> None:
    if "--check" in arguments:
        check()
    else:
        write(Path(), arguments)


def check() -> None:
    with TemporaryDirectory() as folder:
        for name in LOCKS:
            shutil.copyfile(name, Path(folder) / name)
        write(Path(folder), [])
        stale = [name for name in LOCKS if (Path(folder) / name).read_bytes() != Path(name).read_bytes()]
    if stale:
        sys.exit(f"Out of date: {', '.join(stale)}. Run bin/lock and commit what it writes.")
    print("The lock files are up to date.")


def write(folder: Path, options: list[str]) -> None:
    """Compile both; the second is held to the versions of the first."""
    first = folder / "requirements.lock"
    compile_lock(first, options)
    compile_lock(folder / "requirements-test.lock", [*options, "--constraints", str(first)])


def compile_lock(path: Path, options: list[str]) -> None:
    answer = subprocess.run(
        [*COMPILE, *LOCKS[path.name], *options, "--output-file", str(path)], check=False, capture_output=True, text=True
    )
    if answer.returncode == 0:
        return
    if any(words in answer.stderr.lower() for words in OFFLINE):
        print("Skipped: no package index can be reached, so the lock files cannot be compared.")
        sys.exit(0)
    sys.exit(answer.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
