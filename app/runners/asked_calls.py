"""The calls of a command, each told once: by its hook when it asks, by its output, or by both in either order."""

import shlex
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from app.ids import create_id
from app.runners.base import AgentEvent, ToolFinished, ToolRunning, ToolStarted
from app.runners.hook_calls import HookCall
from app.runners.recent import Recent
from app.runners.tool_names import for_rules

#: What stands as the output of a call whose program told nothing of its end.
ALLOWED = {"content": "It was allowed to run. The program does not tell how it ended."}


class AskedCalls:
    """Those of one run. What its output tells comes by `heard`."""

    def __init__(
        self,
        emit: Callable[[AgentEvent], Awaitable[None]],
        ran_unasked: Callable[[str, dict[str, Any]], Awaitable[None]],
    ) -> None:
        self._emit = emit
        #: Told of each call that the output says has run although no hook asked for it, or it was refused.
        self._ran_unasked = ran_unasked
        #: Calls that have begun and not ended.
        self._open: dict[str, ToolStarted] = Recent()
        #: Those of them that a hook asked for.
        self._by_hook: dict[str, bool] = Recent()
        #: Those that a hook let run, until the output tells of them too.
        self._untold: dict[str, ToolStarted] = Recent()
        #: Those that have ended, of which the output may tell once more; the call where it was refused.
        self._ended: dict[str, ToolStarted | None] = Recent()
        #: Those for which hooks wait.
        self._asked: set[str] = set()
        #: By the id that the output gives it: the id that the hook gave.
        self._known_as: dict[str, str] = Recent()

    async def asked(self, call: HookCall, turn: int) -> str:
        """A hook asks for a call; the id by which the record knows it."""
        call_id = call.id or f"asked-{create_id()}"
        if call_id in self._asked or call_id in self._ended:  # Asked for twice, so it is another call.
            call_id = f"{call_id}#{create_id()}"
        self._asked.add(call_id)
        self._by_hook[call_id] = True
        if call_id not in self._open:
            started = ToolStarted(call_id=call_id, tool=call.tool, input=call.input, turn=turn)
            self._open[call_id] = self._untold[call_id] = started
            await self._emit(started)
        return call_id

    async def decided(self, call_id: str, refusal: str, *, is_last_word: bool) -> None:
        """The answer to it; an empty `refusal` lets it run. `is_last_word`: nobody will tell how it ended."""
        self._asked.discard(call_id)
        if refusal:
            self._untold.pop(call_id, None)
            await self._end(ToolFinished(call_id=call_id, status="denied", error=refusal))
            return
        await self._emit(ToolRunning(call_id=call_id))
        if is_last_word:
            await self._end(ToolFinished(call_id=call_id, status="complete", output=dict(ALLOWED)))

    async def ended(self, call: HookCall) -> None:
        """A hook tells how a call ended that it had asked for."""
        if call.id in self._open and call.id not in self._asked:
            status: Literal["complete", "error"] = "error" if call.error else "complete"
            ended = ToolFinished(call_id=call.id, status=status, output=call.output, error=call.error or None)
            await self._end(ended)

    async def heard(self, event: AgentEvent) -> None:
        """An event of the program's output, which may tell of a call again."""
        if isinstance(event, ToolStarted):
            await self._heard_of_start(event)
        elif isinstance(event, ToolFinished):
            await self._heard_of_end(event)
        else:
            await self._emit(event)

    async def close(self, *, is_success: bool) -> None:
        """The program is gone: what only its hook told of has ended with it."""
        for call_id in [each for each in self._by_hook if each in self._open]:
            ended = ToolFinished(call_id=call_id, status="complete", output=dict(ALLOWED))
            cut_off = ToolFinished(call_id=call_id, status="error", error="interrupted")
            await self._end(ended if is_success and call_id not in self._asked else cut_off)

    async def _heard_of_start(self, event: ToolStarted) -> None:
        if event.call_id in self._untold:
            del self._untold[event.call_id]
        elif event.call_id in self._ended and event.call_id in self._by_hook:
            return
        elif asked := next((each for each in self._untold.values() if _is_same(each, event)), None):
            del self._untold[asked.call_id]
            self._known_as[event.call_id] = asked.call_id
        else:
            self._open[event.call_id] = event
            self._ended.pop(event.call_id, None)
            await self._emit(event)

    async def _heard_of_end(self, event: ToolFinished) -> None:
        event = msgspec.structs.replace(event, call_id=self._known_as.pop(event.call_id, event.call_id))
        if event.call_id in self._ended:
            refused = self._ended.pop(event.call_id)
            if refused is not None and event.status == "complete":
                await self._ran_unasked(refused.tool, refused.input)
            return
        started = self._open.pop(event.call_id, None)
        await self._emit(event)
        if started is not None and event.status == "complete" and event.call_id not in self._by_hook:
            await self._ran_unasked(started.tool, started.input)

    async def _end(self, event: ToolFinished) -> None:
        started = self._open.pop(event.call_id, None)
        self._ended[event.call_id] = started if event.status == "denied" else None
        await self._emit(event)


def _is_same(asked: ToolStarted, told: ToolStarted) -> bool:
    """Whether a program that names its calls otherwise in its output tells of the call that its hook asked for."""
    calls, others = for_rules(asked.tool, asked.input), for_rules(told.tool, told.input)
    tool, given = calls[0]
    other, shown = others[0]
    if tool == other == "Bash":
        return given["command"] in (shown["command"], _inner(shown["command"]))
    return tool == other and _files(calls) == _files(others)


def _files(calls: list[tuple[str, dict[str, Any]]]) -> set[str]:
    """The names of the files that a call is about; one may tell whole paths, the other not."""
    return {str(given.get("file_path", "")).rpartition("/")[2] for _, given in calls}


def _inner(command: str) -> str:
    """What a shell is told to run by `bash -lc '…'`."""
    try:
        return shlex.split(command)[-1]
    except (ValueError, IndexError):
        return command
