"""A random life as hypothesis lives it: one moment after the other, and after each of them everything is checked."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.lifecycles import authors
from tests.lifecycles.faults import Fault
from tests.lifecycles.moments import MOMENTS, Moment
from tests.lifecycles.world import Command, Stage, World


class Life(RuleBasedStateMachine):
    """One project from its first task on. A subclass says on which `stage`."""

    stage: ClassVar[Stage]
    #: Moments of all lives of this class.
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._world: World | None = None
        self._number = 0
        self._is_well = True
        self._story: list[str] = []

    @initialize(max_agents=st.integers(1, 3), tasks=st.integers(1, 4), starts=st.integers(0, 4))
    def begins(self, max_agents: int, tasks: int, starts: int) -> None:
        """A project with a few tasks, some of them at work."""
        self._world = World(self.stage, max_agents)
        for each in range(tasks):
            self.add_task(each < starts, None)

    @rule(moment=MOMENTS)
    def lives(self, moment: Moment) -> None:
        """Something happens, and everything is true and there afterwards."""
        moment.happen(self)
        with self._telling():
            self.world.check()
        type(self).steps += 1

    def teardown(self) -> None:
        """The server stops, and all holds without it."""
        if self._world is None:
            return
        try:
            if self._is_well:
                with self._telling():
                    self._world.close()
        finally:
            self._world.discard()

    @property
    def world(self) -> World:
        """Where all of this happens."""
        assert self._world is not None, "a life has begun"
        return self._world

    def next(self) -> int:
        """A number that nothing in this life has yet."""
        self._number += 1
        return self._number

    def add_task(self, starts: bool, agent_id: str | None) -> None:
        """A new card."""
        arguments = {"title": f"Task {self.next()}", "start": starts, "agent_id": agent_id}
        self.tell(("add_task", {"project_id": self.world.project.id, **arguments}))

    def tell(self, *commands: Command | None, fault: Fault | None = None) -> None:
        """Let the server carry out those that are commands."""
        wanted = [command for command in commands if command is not None]
        if not wanted:
            return
        self._story.append(f"{wanted} {fault or ''}")
        with self._telling():
            outcomes = self.world.tell(*wanted, fault=fault)
        self._story[-1] += f" → {[outcome.refused or 'done' for outcome in outcomes] or 'crashed'}"

    def do(self, deed: str, folder: Path | None, who: str) -> None:
        """Let somebody do something in a folder, if it is there."""
        if folder is None or not folder.is_dir():
            return
        number = self.next()
        self._story.append(f"{who} {deed} in {folder.name} ({number})")
        getattr(authors, deed)(folder, number, who, self.world.ledger)
        self.world.ledger.forget_what_is_gone()

    def restart(self) -> None:
        """Stop the server in order, and start another."""
        self._story.append("the server restarts")
        with self._telling():
            self.world.restart()

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """A life hardly ever repeats itself to the instant: what goes wrong says by itself how it came to that."""
        self._is_well = False
        try:
            yield
        except AssertionError as wrong:
            wrong.add_note("\n".join(["the life until then:", *self._story]))
            raise
        self._is_well = True
