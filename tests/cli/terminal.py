"""A person at a terminal: `agentpane` as a program of its own, on one data folder."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: Seconds until a run has to have come somewhere.
PATIENCE_S = 60.0


class Terminal:
    """Runs commands on the embedded database of `data_dir`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        home = data_dir.with_name(f"{data_dir.name} home")
        home.mkdir(parents=True, exist_ok=True)
        self._env = {
            "HOME": str(home), "USER": "mara", "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }  # fmt: skip

    def run(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run one command to its end. Whatever it refuses is one sentence."""
        answer = subprocess.run(
            [sys.executable, "-m", "app", *arguments, "--data-dir", self.data_dir],
            cwd=ROOT, env=self._env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert answer.returncode == code, f"{answer.stdout}\n{answer.stderr}"
        if code:
            assert answer.stderr.count("\n") == 1
        return answer

    def says(self, *arguments: str | Path) -> str:
        """What a command prints."""
        return self.run(*arguments).stdout

    def refuses(self, *arguments: str | Path, code: int = 1) -> str:
        """The sentence with which a command is refused."""
        return self.run(*arguments, code=code).stderr

    def json(self, *arguments: str | Path) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.says(*arguments, "--json"))

    def adds(self, *arguments: str | Path) -> str:
        """The id of what a command adds: its line is `Added ID: NAME`."""
        return self.says(*arguments).split()[1].removesuffix(":")

    async def sees(self, task: str, stage: str) -> Any:
        """Look at a task until it is in that stage; the task as JSON."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := await asyncio.to_thread(self.json, "task", "show", task))["stage"] != stage:
            assert time.monotonic() < deadline, f"{stage} never came: {found}"
        return found
