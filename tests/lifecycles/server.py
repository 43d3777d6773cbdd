"""The server of one life: started as the application starts, asked through a pipe, and killed wherever it stands."""

import asyncio
import faulthandler
import importlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from msgspec import Struct

from app import asgi
from app.errors import DomainError
from app.postgres import migrations
from app.postgres.errors import is_away
from app.postgres.patience import patiently
from app.runners.command import CommandRunner
from app.runners.limits import LimitedRunner
from app.runs import batching, stopping
from app.runs.engine import Engine
from app.runs.rows import asked_to_stop, not_as_wanted
from app.settings import Settings
from tests.lifecycles import commands
from tests.lifecycles.faults import CrashAfter, CrashAfterTurns, Fault, HangsUp
from tests.lifecycles.puppets import PuppetRunner

#: Seconds in which everything that a command set going has come to rest.
SETTLE_S = 60.0
_LOOK_AGAIN_S = 0.002


class Order(Struct, frozen=True):
    """Commands to carry out at the same moment, each by name and arguments."""

    commands: tuple[tuple[str, dict[str, Any]], ...]
    fault: Fault | None = None


class Outcome(Struct, frozen=True):
    """What became of one command: its value, the code of its refusal, or a stack trace."""

    value: Any = None
    refused: str | None = None
    failed: str | None = None
    #: The database went away under it.
    away: bool = False


class Reply(Struct, frozen=True):
    """The outcomes in the order of the commands, and what the server logged as an error meanwhile."""

    outcomes: tuple[Outcome, ...] = ()
    errors: tuple[str, ...] = ()


def warm_up() -> None:
    """Read whatever a start reads, so that a forked server starts at once. Nobody asks these servers by HTTP."""
    asgi.CONTROLLERS.clear()
    asgi.create_app(Settings(data_dir=Path("/nowhere"), secret_key="s" * 32))
    migrations.known()
    importlib.import_module("anyio._backends._asyncio")


def serve(pipe: Connection, settings: Settings) -> None:
    """Be a server until the pipe closes or says None, which is a stop in order."""
    faulthandler.register(signal.SIGUSR1, file=sys.stderr)
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    puppets = PuppetRunner()
    runners = (LimitedRunner(puppets), LimitedRunner(CommandRunner()))
    asgi.RUNNERS = {runner.kind: runner for runner in runners}  # type: ignore[misc]
    asgi.Engine = WatchedEngine  # type: ignore[misc]
    # What waits for more to come, or asks again, would only make the test wait.
    batching.BATCH_S, stopping._POLL_S = 0.0, 0.005  # type: ignore[misc]
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        runner.run(_serve(pipe, settings, puppets, complaints))


async def _serve(pipe: Connection, settings: Settings, puppets: PuppetRunner, complaints: "Complaints") -> None:
    app = asgi.create_app(settings)
    async with app.lifespan():
        commands.begin(app.state.engine, puppets)
        inbox: asyncio.Queue[Order | None] = asyncio.Queue()
        asyncio.get_running_loop().add_reader(pipe.fileno(), lambda: inbox.put_nowait(_received(pipe)))
        await settle(app.state.engine, puppets)
        pipe.send(Reply(errors=complaints.taken()))
        while order := await inbox.get():
            outcomes = await _carry_out(order)
            await settle(app.state.engine, puppets)
            pipe.send(Reply(outcomes, complaints.taken()))
    pipe.send(Reply(errors=complaints.taken()))


def _received(pipe: Connection) -> Order | None:
    try:
        return pipe.recv()
    except EOFError:
        os._exit(1)


async def _carry_out(order: Order) -> tuple[Outcome, ...]:
    tasks = [asyncio.create_task(_attempt(name, arguments)) for name, arguments in order.commands]
    match order.fault:
        case HangsUp(turns=turns):
            _loop().after(turns, tasks[0].cancel)
        case CrashAfterTurns(turns=turns):
            _loop().after(turns, _die)
        case CrashAfter(milliseconds=milliseconds):
            # Nobody handles SIGALRM, so it ends the process on the spot, whatever its threads do.
            signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000)
    await asyncio.wait(tasks)
    # One whose browser is gone before it has begun never comes to saying so itself.
    outcomes = tuple(Outcome(refused="HUNG_UP") if task.cancelled() else task.result() for task in tasks)
    if isinstance(order.fault, CrashAfter | CrashAfterTurns):
        _die()
    return outcomes


async def _attempt(name: str, arguments: dict[str, Any]) -> Outcome:
    try:
        return Outcome(value=await getattr(commands, name)(**arguments))
    except DomainError as refusal:
        return Outcome(refused=refusal.code)
    except asyncio.CancelledError:
        return Outcome(refused="HUNG_UP")
    except Exception as error:
        return Outcome(failed=traceback.format_exc(), away=is_away(error))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class WatchedEngine(Engine):
    """The engine, with a count of how often it has looked through the queue."""

    passes = 0

    async def _claim_all(self) -> None:
        try:
            await super()._claim_all()
        finally:
            self.passes += 1

    @property
    def driven(self) -> list[str]:
        """The runs that it drives now."""
        return list(self._drives)

    def is_up(self, run_id: str, puppets: PuppetRunner) -> bool:
        """Whether the program of a run is started and has nothing left to do by itself."""
        puppet = puppets.runs.get(run_id)
        return puppet.rests if puppet else run_id in self._drives and self._drives[run_id][0]._live is not None

    @property
    def is_busy(self) -> bool:
        """Whether it does what somebody asked for a moment ago."""
        return bool(self._errands)

    def look_again(self) -> None:
        """Look through the queue now."""
        self._wake.set()


async def settle(engine: WatchedEngine, puppets: PuppetRunner) -> None:
    """Wait until the engine has nothing left to do: every run waits for its agent, and nothing can be begun."""
    try:
        async with asyncio.timeout(SETTLE_S):
            while True:
                await _until(lambda: _rests(engine, puppets))
                driven = engine.driven
                # Two looks: the first may have begun before the queue was what it is now.
                for _ in range(2):
                    passes = engine.passes
                    engine.look_again()
                    await _until(lambda seen=passes: engine.passes > seen)
                asked = await patiently(lambda seen=driven: _asked(seen))
                if engine.driven == driven and not asked and _rests(engine, puppets):
                    return
    except TimeoutError:
        for task in asyncio.all_tasks():
            print("\n".join([f"{task.get_name()} waits:", *_awaited(task.get_coro())]), file=sys.stderr)
        raise


def _awaited(coroutine: Any) -> list[str]:
    """Where a task waits, from the outside to the inside."""
    found = []
    while coroutine is not None:
        frame = next((f for n in ("cr_frame", "gi_frame", "ag_frame") if (f := getattr(coroutine, n, None))), None)
        found.append(f"  {frame.f_code.co_qualname}:{frame.f_lineno}" if frame else f"  {coroutine!r}")
        names = ("cr_await", "gi_yieldfrom", "ag_await")
        coroutine = next((each for name in names if (each := getattr(coroutine, name, None))), None)
    return found


async def _asked(driven: list[str]) -> bool:
    return bool(await asked_to_stop(driven) or await not_as_wanted(driven))


def _rests(engine: WatchedEngine, puppets: PuppetRunner) -> bool:
    return not engine.is_busy and all(engine.is_up(run_id, puppets) for run_id in engine.driven)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(_LOOK_AGAIN_S)


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that calls back after so many of its turns."""

    def __init__(self) -> None:
        super().__init__()
        self._fuses: list[tuple[int, Callable[[], object]]] = []
        self._turns = 0

    def after(self, turns: int, callback: Callable[[], object]) -> None:
        """Call `callback` when the loop has turned `turns` times from now."""
        self._fuses.append((self._turns + turns, callback))

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]
        self._turns += 1
        for fuse in [fuse for fuse in self._fuses if fuse[0] <= self._turns]:
            self._fuses.remove(fuse)
            fuse[1]()


def _loop() -> CountingLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, CountingLoop)
    return loop


class Complaints(logging.Handler):
    """What the server logs as an error: in these tests nothing may."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._texts: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it for the next reply."""
        self._texts.append(self.format(record))

    def taken(self) -> tuple[str, ...]:
        """What came since the last time."""
        texts, self._texts = tuple(self._texts), []
        return texts
