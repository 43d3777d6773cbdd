"""The calls of a command, each told once: by its hook when it asks, by its output, or by both in either order."""

from collections.abc import Awaitable, Callable
from typing import Literal

from app.ids import create_id
from app.runners.base import AgentEvent, ToolFinished, ToolRunning, ToolStarted
from app.runners.hook_calls import HookCall
from app.runners.recent import Recent

#: What stands as the output of a call whose program told nothing of its end.
ALLOWED = {"content": "It was allowed to run. The program does not tell how it ended."}


class AskedCalls:
    """Those of one run. What its output tells comes by `heard`."""

    def __init__(self, emit: Callable[[AgentEvent], Awaitable[None]]) -> None:
        self._emit = emit
        #: Calls that have begun and not ended.
        self._open: dict[str, bool] = Recent()
        #: Those that a hook told of, until the output tells of them too.
        self._untold: dict[str, bool] = Recent()
        #: Those that were refused, or ended otherwise, of whose end the output may tell once more.
        self._ended: dict[str, bool] = Recent()
        #: Those for which hooks wait.
        self._asked: set[str] = set()

    async def asked(self, call: HookCall, turn: int) -> str:
        """A hook asks for a call; the id by which the record knows it."""
        call_id = call.id or f"asked-{create_id()}"
        if call_id in self._asked or call_id in self._ended:  # Asked for twice, so it is another call.
            call_id = f"{call_id}#{create_id()}"
        self._asked.add(call_id)
        if call_id not in self._open:
            self._open[call_id] = self._untold[call_id] = True
            await self._emit(ToolStarted(call_id=call_id, tool=call.tool, input=call.input, turn=turn))
        return call_id

    async def decided(self, call_id: str, refusal: str, *, is_last_word: bool) -> None:
        """The answer to it; an empty `refusal` lets it run. `is_last_word`: nobody will tell how it ended."""
        self._asked.discard(call_id)
        if refusal:
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
            if self._untold.pop(event.call_id, False):
                return
            self._open[event.call_id] = True
            self._ended.pop(event.call_id, None)
        elif isinstance(event, ToolFinished):
            if not self._ended.pop(event.call_id, False):
                self._open.pop(event.call_id, None)
                await self._emit(event)
            return
        await self._emit(event)

    async def close(self, *, is_success: bool) -> None:
        """The program is gone: what only its hook told of has ended with it."""
        for call_id in list(self._untold):
            if call_id not in self._open:
                continue
            ended = ToolFinished(call_id=call_id, status="complete", output=dict(ALLOWED))
            cut_off = ToolFinished(call_id=call_id, status="error", error="interrupted")
            await self._end(ended if is_success and call_id not in self._asked else cut_off)

    async def _end(self, event: ToolFinished) -> None:
        self._open.pop(event.call_id, None)
        self._ended[event.call_id] = True
        await self._emit(event)
