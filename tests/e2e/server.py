"""The whole program as a user starts it, in a process of its own with a home of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
READY = "AgentPane ready: "
START_S = 60.0
STOP_S = 15.0


class Server:
    """`agentpane serve` (or another command that serves) on a free port. `url` is where it serves."""

    def __init__(
        self,
        folder: Path,
        env: dict[str, str] | None = None,
        data_dir: Path | None = None,
        command: Sequence[str] = ("serve",),
        module: str = "app",
    ) -> None:
        self.data_dir = data_dir or folder / "data"
        self._command = command
        self._module = module
        self.home = folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self._env = {
            "HOME": str(self.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": os.devnull,
            "PYTHONDONTWRITEBYTECODE": "1", **(env or {}),
        }  # fmt: skip
        self.url = ""
        self.process: asyncio.subprocess.Process | None = None
        self.log = folder / "server.log"

    async def start(self) -> Self:
        """Start it and wait for its one line."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, *self._command, "--port", "0", "--data-dir", str(self.data_dir),
                cwd=ROOT, env=self._env, stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = (await asyncio.wait_for(self.process.stdout.readline(), START_S)).decode()
        assert line.startswith(READY), f"{line!r}\n{self.log.read_text()}"
        self.url = line.removeprefix(READY).strip()
        return self

    async def stop(self) -> int:
        """Ask it to end, as a supervisor does; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), STOP_S)

    async def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.process is not None and self.process.returncode is None
