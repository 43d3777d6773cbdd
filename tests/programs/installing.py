"""Install the programs of `package-lock.json` once for this machine, in a folder named by the lock file's hash."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
#: Seconds for some 600 MB to come over the network and be unpacked.
INSTALL_S = 900.0
#: What the packages bring that no test starts: claude-agent-acp is given the SDK's own Claude Code.
_UNUSED = ("@anthropic-ai/claude-agent-sdk-*", "opencode-linux-*", "opencode-darwin-*")


def installed() -> Path:
    """The folder with the commands, to stand on PATH. Skips the test where Node is missing, but never on CI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("Node with npm is needed to install the agent programs of tests/programs, and was not found on PATH.")
    lock = (FOLDER / "package-lock.json").read_bytes()
    folder = _cache() / hashlib.sha256(lock).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # The other worker waits here until it is all there.
        if not folder.exists():
            _install(folder, npm, node)
    return folder / "node_modules" / ".bin"


def _install(folder: Path, npm: str, node: str) -> None:
    print(f"Installing the agent programs for tests into {folder} …", file=sys.stderr, flush=True)
    half = folder.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FOLDER / name, half)
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], half)
    _run([node, "postinstall.mjs"], half / "node_modules" / "opencode-ai")  # Puts this machine's program in place.
    for pattern in _UNUSED:
        for each in (half / "node_modules").glob(pattern):
            shutil.rmtree(each)
    half.rename(folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, timeout=INSTALL_S, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def _cache() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "agentpane-tests"
