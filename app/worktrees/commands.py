"""Set-up commands of a worktree: which one installs dependencies, and running one with its output kept."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from app.ids import create_id
from app.processes.cutting import end
from app.processes.lines import LineReader
from app.processes.redacting import Redactor
from app.processes.sandbox import Sandbox
from app.processes.secret_tails import HELD_OF_KEY
from app.processes.spawning import GuardedProcess, spawn

log = logging.getLogger(__name__)

#: Characters of output that a step's log keeps, counted from the end.
LOG_LIMIT = 64 * 1024

#: Seconds after which a page can show what a command has printed meanwhile.
TELL_S = 2.0

Command = tuple[str, ...]
Tell = Callable[[str], Awaitable[None]]

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


async def run_command(
    argv: tuple[str, ...],
    cwd: Path,
    env: Mapping[str, str],
    *,
    seconds: float,
    tell: Tell | None = None,
    sandbox: Sandbox | None = None,
) -> str:
    """Run `argv` to its end and return what it printed, without secrets; `tell` is handed that from time to time.

    `CommandFailed` for another exit code, a missing program or more than `seconds`; whatever it started is ended
    with it.
    """
    with TemporaryDirectory(prefix="agentpane-step-") as folder:
        try:
            process = await spawn(argv, env=env, cwd=cwd, state_dir=Path(folder), marker=create_id(), sandbox=sandbox)
        except OSError as error:
            raise CommandFailed(f"{argv[0]} could not be started: {error}") from error
        return await _finish(argv, process, _Printed(process, Redactor(env)), seconds, tell)


async def _finish(
    argv: tuple[str, ...], process: GuardedProcess, printed: "_Printed", seconds: float, tell: Tell | None
) -> str:
    telling = asyncio.create_task(printed.tell_again(tell)) if tell else None
    code = None
    try:
        async with asyncio.timeout(seconds):
            await printed.read()
            code = await process.wait()
    except TimeoutError:
        log.info("%s took longer than %s seconds", argv[0], seconds)
    finally:
        if telling is not None:
            telling.cancel()
            await asyncio.wait([telling])
        await process.end()
    text = printed.text
    if process.start_error:
        raise CommandFailed(f"{argv[0]} could not be started: {process.start_error}")
    if code is None:
        raise CommandFailed(f"{text}\n{argv[0]} took longer than {seconds:g} seconds and was ended.".strip())
    if process.excess:
        raise CommandFailed(f"{text}\n{process.excess}".strip())
    if code:
        raise CommandFailed(f"{text}\n{argv[0]} ended with exit code {code}.".strip())
    return text


class _Printed:
    """The end of what a program prints, first its standard output, then its errors.

    More is held than is kept, so that of a secret that lies where it is cut off the beginning is known too.
    """

    def __init__(self, process: GuardedProcess, clean: Redactor) -> None:
        self._streams = (process.stdout, process.stderr)
        self._clean = clean
        self._held = ["", ""]

    async def read(self) -> None:
        """Until the program closes both."""
        await asyncio.gather(*(self._read(number, lines) for number, lines in enumerate(self._streams)))

    async def _read(self, number: int, lines: LineReader) -> None:
        async for line in lines:
            self._held[number] = f"{self._held[number]}{line.text}\n"[-LOG_LIMIT - HELD_OF_KEY :]

    async def tell_again(self, tell: Tell) -> None:
        """Hand over what there is, whenever there is more; until cancelled."""
        told = ""
        while True:
            await asyncio.sleep(TELL_S)
            if self.text != told:
                told = self.text
                await tell(told)

    @property
    def text(self) -> str:
        """What was read so far."""
        kept = [end(self._clean.text(held), LOG_LIMIT).rstrip("\n") for held in self._held]
        return "\n".join(text for text in kept if text)
