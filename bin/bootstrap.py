"""Makes the virtual environment of this checkout from a hashed lock file. Standard library only; called by the scripts
beside it as `bootstrap.py ROOT VENV LOCK`. What it has to say goes to standard error."""

import contextlib
import fcntl
import filecmp
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# The second lock file is a superset of the first.
LOCKS = {
    "requirements.lock": ["requirements.lock"],
    "requirements-test.lock": ["requirements.lock", "requirements-test.lock"],
}

# A person's pip settings that would put packages elsewhere. Index, proxy and certificate settings stay.
UNWANTED = [
    "USER",
    "TARGET",
    "PREFIX",
    "ROOT",
    "CONSTRAINT",
    "REQUIREMENT",
    "REQUIRE_VIRTUALENV",
    "NO_DEPS",
    "DRY_RUN",
    "PYTHON",
    "EDITABLE",
]

# The lock file names everything, so nothing is resolved: pip would look for `pydantic[email]` beside the pinned
# `pydantic`, find a release newer than the lock, and refuse it for want of a hash.
INSTALL = ["install", "--require-hashes", "--no-deps", "--only-binary", ":all:"]


def main(root: Path, venv: Path, lock: str) -> None:
    for name in [f"PIP_{word}" for word in UNWANTED] + ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"]:
        os.environ.pop(name, None)
    with alone(venv):
        if not is_installed(root, venv, lock):  # another first start may have done it while we waited
            install(root, venv, lock)


@contextlib.contextmanager
def alone(venv: Path) -> Iterator[None]:
    """Hold a lock that the kernel frees when we are killed."""
    path = venv.with_name(venv.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except OSError as error:
        fail(
            f"{path.parent} cannot be written ({error.strerror}): name a folder for the environment in AGENTPANE_VENV."
        )
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another start that is installing …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_installed(root: Path, venv: Path, lock: str) -> bool:
    stamp = venv / f"installed-{lock}"
    return stamp.is_file() and filecmp.cmp(root / lock, stamp, shallow=False) and runs(venv)


def install(root: Path, venv: Path, lock: str) -> None:
    stamps = list(venv.glob("installed-*"))
    usable = bool(stamps) and runs(venv)  # without a stamp the last installation was cut short
    for stamp in stamps:
        stamp.unlink()
    say(f"Installing what AgentPane needs into {venv}; this happens once and takes a minute.")
    if not usable:
        shutil.rmtree(venv, ignore_errors=True)
        make(venv)
    fill(venv, root / lock)
    link_checkout(root, venv)
    for name in LOCKS[lock]:
        written = venv / f"{name}.new"
        shutil.copyfile(root / name, written)
        written.replace(venv / f"installed-{name}")


def make(venv: Path) -> None:
    # The resolved path names the minor version: after an upgrade of Python the environment is made anew.
    creator = [os.path.realpath(sys.executable), "-I", "-m", "venv"]
    with_pip = has_ensurepip() and not shutil.which("uv")
    run([*creator, str(venv)] if with_pip else [*creator, "--without-pip", str(venv)])


def fill(venv: Path, lock: Path) -> None:
    python = str(venv / "bin" / "python")
    uv = shutil.which("uv")
    if uv:
        run([uv, "pip", *INSTALL, "--quiet", "--python", python, "--requirement", str(lock)])
    elif has_pip(python):
        run_pip([python, "-I", "-m", "pip", *INSTALL, "--requirement", str(lock)])
    elif has_pip(sys.executable):
        run_pip([sys.executable, "-I", "-m", "pip", "--python", python, *INSTALL, "--requirement", str(lock)])
    else:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        fail(f"This Python cannot install packages: run `apt-get install python{version}-venv`, or install uv.")


def link_checkout(root: Path, venv: Path) -> None:
    """Let the environment import the checkout, by a relative path, so that both can be moved together."""
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run(
        [venv / "bin" / "python", "-I", "-c", query], check=True, capture_output=True, text=True
    ).stdout.strip()
    (Path(packages) / "agentpane-checkout.pth").write_text(os.path.relpath(root, packages) + "\n")


def runs(venv: Path) -> bool:
    return answers([str(venv / "bin" / "python"), "-I", "-c", ""])


def has_pip(python: str) -> bool:
    return answers([python, "-I", "-m", "pip", "--version"])


def has_ensurepip() -> bool:
    """Debian takes it out of Python and puts it into a package of its own."""
    return answers([sys.executable, "-I", "-c", "import ensurepip; ensurepip.version()"])


def answers(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def run(command: list[str]) -> None:
    if subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode:
        fail("The installation failed; what is above says why. Run the same command again to go on.")


def run_pip(command: list[str]) -> None:
    """Of pip's hundred lines show the large downloads, and all of them only when it fails."""
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    lines = []
    with subprocess.Popen(
        command + options, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout
        for line in pip.stdout:
            lines.append(line)
            download = re.match(r"\s*Downloading (\S+) \((\d+)\.\d MB\)", line)
            if download and int(download[2]) >= 5:
                say(f"  {download[1].rsplit('/', 1)[-1]} ({download[2]} MB)")
    if pip.returncode:
        sys.stderr.writelines(lines)
        fail("The installation failed; what is above says why. Run the same command again to go on.")


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def fail(sentence: str) -> None:
    say(sentence)
    raise SystemExit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]).absolute(), sys.argv[3])
