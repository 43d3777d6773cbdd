"""Set-up commands of a worktree: which one installs dependencies, and running one with its output kept."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from app.ids import create_id
from app.processes.lines import LineReader
from app.processes.spawning import GuardedProcess, spawn

#: Seconds a set-up command may take.
TIMEOUT_S = 900
#: Characters of output that a step's log keeps, counted from the end.
LOG_LIMIT = 64 * 1024

Command = tuple[str, ...]

#: Lock file → the commands that install exactly what it says. The first file found decides.
INSTALLERS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    ("uv.lock", (("uv", "sync", "--frozen"),)),
    ("poetry.lock", (("poetry", "install", "--no-interaction"),)),
    ("pnpm-lock.yaml", (("pnpm", "install", "--frozen-lockfile"),)),
    ("yarn.lock", (("yarn", "install", "--frozen-lockfile"),)),
    ("bun.lock", (("bun", "install", "--frozen-lockfile"),)),
    ("bun.lockb", (("bun", "install", "--frozen-lockfile"),)),
    ("package-lock.json", (("npm", "ci", "--no-audit", "--no-fund"),)),
    ("Cargo.lock", (("cargo", "fetch", "--locked"),)),
    ("go.sum", (("go", "mod", "download"),)),
    ("Gemfile.lock", (("bundle", "install"),)),
    (
        "requirements.txt",
        (
            ("python3", "-m", "venv", ".venv"),
            (".venv/bin/python", "-m", "pip", "install", "--disable-pip-version-check", "-r", "requirements.txt"),
        ),
    ),
)
_YARN_BERRY: tuple[Command, ...] = (("yarn", "install", "--immutable"),)


class CommandFailed(Exception):
    """A set-up command ended with an error; the message is what the step's log shows."""


def guess_install(folder: Path, path_variable: str) -> tuple[tuple[Command, ...], str]:
    """The commands that install dependencies in `folder`, or none with the reason why there are none."""
    for lock_file, commands in INSTALLERS:
        if (folder / lock_file).is_file():
            program = commands[0][0]
            if shutil.which(program, path=path_variable) is None:
                return (), f"{lock_file} is there, but the program {program} is not on this machine."
            return _YARN_BERRY if lock_file == "yarn.lock" and _is_berry(folder) else commands, ""
    return (), "No lock file was found."


def _is_berry(folder: Path) -> bool:
    """Yarn from version 2 on marks its lock file so, and knows another switch."""
    with (folder / "yarn.lock").open(errors="replace") as file:
        return "__metadata:" in file.read(4096)


async def run_command(argv: tuple[str, ...], cwd: Path, env: Mapping[str, str]) -> str:
    """Run `argv` to its end and return what it printed. `CommandFailed` for another exit code, a missing program
    or a timeout; whatever it started is ended with it."""
    with TemporaryDirectory(prefix="agentpane-step-") as folder:
        try:
            process = await spawn(argv, env=env, cwd=cwd, state_dir=Path(folder), marker=create_id())
        except OSError as error:
            raise CommandFailed(f"{argv[0]} could not be started: {error}") from error
        return await _finish(argv, process)


async def _finish(argv: tuple[str, ...], process: GuardedProcess) -> str:
    output = asyncio.gather(_tail(process.stdout), _tail(process.stderr))
    try:
        printed = await asyncio.wait_for(output, TIMEOUT_S)
        code = await process.wait()
    except TimeoutError as error:
        raise CommandFailed(f"{argv[0]} took longer than {TIMEOUT_S} seconds and was ended.") from error
    finally:
        await process.end()
    text = "\n".join(part for part in printed if part)
    if process.start_error:
        raise CommandFailed(f"{argv[0]} could not be started: {process.start_error}")
    if code:
        raise CommandFailed(f"{text}\n{argv[0]} ended with exit code {code}.".strip())
    return text


async def _tail(lines: LineReader) -> str:
    kept = ""
    async for line in lines:
        kept = f"{kept}{line.text}\n"[-LOG_LIMIT:]
    return kept.rstrip("\n")
