"""How a test runs an agent: a spec with an environment of its own, and the events it gave."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from app.runners.base import AgentEvent, Answer, Finished, LiveRun, Question, Rested, RunSpec

Event = TypeVar("Event")
#: No test waits longer for anything.
PATIENCE_S = 60


def make_spec(tmp_path: Path, **wanted: object) -> RunSpec:
    """A spec in fresh folders below `tmp_path`, with an environment that holds PATH, HOME and what is wanted."""
    folders = {name: tmp_path / name for name in ("work tree", "state dir", "home")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True, mode=0o700)
    env = {"PATH": os.environ["PATH"], "HOME": str(folders["home"]), **wanted.pop("env", {})}
    settings = {"run_id": uuid4().hex, "cwd": folders["work tree"], "prompt": "Do it.", **wanted}
    return RunSpec(state_dir=folders["state dir"], env=env, **settings)


async def collect(run: LiveRun) -> list[AgentEvent]:
    """Every event to the end; the last is the one `Finished` or `Rested`."""
    async with asyncio.timeout(PATIENCE_S):
        events = [event async for event in run.events()]
    assert [isinstance(event, Finished | Rested) for event in events].count(True) == 1
    assert isinstance(events[-1], Finished | Rested)
    return events


def only(kind: type[Event], events: Iterable[object]) -> list[Event]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


async def until_exists(path: Path) -> Path:
    """Wait until an agent has made that file, which shows that it runs."""
    async with asyncio.timeout(PATIENCE_S):
        while not path.exists() or not path.read_text().strip():
            await asyncio.sleep(0.02)
    return path


class Person:
    """Answers every question in one way, after a while."""

    def __init__(self, answer: Answer, after_s: float = 0) -> None:
        self.asked: list[Question] = []
        self._answer, self._after_s = answer, after_s

    async def __call__(self, question: Question) -> Answer:
        self.asked.append(question)
        await asyncio.sleep(self._after_s)
        return self._answer
