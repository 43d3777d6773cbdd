"""The two ends of one conversation: our prompts and the program's answers, its questions and our decisions."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from app.processes.spawning import GuardedProcess
from app.runners.acp import naming, questions
from app.runners.acp.calls import Call
from app.runners.acp.conversation import Conversation
from app.runners.acp.session import Session, open_session
from app.runners.acp.wire import Wire
from app.runners.base import AgentEvent, RunSpec
from app.runners.permissions import Permissions, Verdict

#: Seconds in which a turn that we cut short has to end; and in which the last words of a program are read.
CANCEL_S = 20.0
LAST_WORDS_S = 5.0
PERMISSION = "session/request_permission"

Emit = Callable[[AgentEvent], Awaitable[None]]
#: Why a call does not run, empty when it does, from what is decided of it; a person may be asked for that.
Judge = Callable[[Call, Verdict], Awaitable[str]]


class Dialogue:
    """With a program that is up. `heed` is called after everything that it told, to cut its turn short if need be."""

    def __init__(
        self,
        spec: RunSpec,
        process: GuardedProcess,
        talk: Conversation,
        emit: Emit,
        heed: Callable[[], Awaitable[None]],
        judge: Judge,
    ) -> None:
        from acp.connection import Connection

        self._spec = spec
        self._permissions = Permissions(spec.allowed_tools, spec.cwd, spec.rules)
        self._talk = talk
        self._emit = emit
        self._heed = heed
        self._judge = judge
        self._wire = Wire(process, self._on_update, emit)
        self._connection: Connection = Connection(self._on_request, self._wire)
        self._gone = asyncio.ensure_future(process.wait())
        self._session: Session | None = None
        self._preamble = ""
        self._is_answering = False
        #: Why our rules would have refused a call that ran without asking.
        self.violation: str | None = None
        #: Set while the program is to end its turn.
        self._halted = asyncio.Event()

    @property
    def broken(self) -> str | None:
        """Why the program could not be talked to any more."""
        return self._wire.broken

    @property
    def is_answering(self) -> bool:
        """Whether the program is in the middle of a turn."""
        return self._is_answering

    async def open(self) -> Session:
        """Open the conversation, and say who answers in it."""
        self._session = await open_session(self._connection, self._spec, self._permissions.tools)
        self._preamble = self._session.preamble
        await self._tell(self._session.notices)
        return self._session

    async def prompt(self, text: str) -> dict[str, Any]:
        """The program's answer to `text`, once its turn has ended.

        Raises the library's `RequestError`, or ConnectionError when the program is gone.
        """
        assert self._session is not None, "there is a conversation"
        self._halted.clear()
        self._talk.begin_prompt()
        blocks = [{"type": "text", "text": each} for each in (self._preamble, text) if each]
        self._preamble = ""
        self._is_answering = True
        try:
            answer = await self._ask("session/prompt", {"sessionId": self._session.id, "prompt": blocks})
        finally:
            self._is_answering = False
        await self._tell(self._talk.end_prompt(answer, self._session.program))
        return answer

    async def halt(self) -> None:
        """Ask the program to end its turn now."""
        if self._halted.is_set() or self._session is None:
            return
        self._halted.set()
        with contextlib.suppress(OSError):  # It is gone, which `prompt` tells.
            await self._connection.send_notification("session/cancel", {"sessionId": self._session.id})

    async def close(self) -> None:
        """Hear nothing more; to be called when the program is gone."""
        self._gone.cancel()
        await self._connection.close()

    async def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        asking = asyncio.ensure_future(self._connection.send_request(method, params))
        halted = asyncio.ensure_future(self._halted.wait())
        try:
            await asyncio.wait([asking, halted, self._gone], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([asking], timeout=LAST_WORDS_S if self._gone.done() else CANCEL_S)
            if not asking.done() and self._gone.done():
                raise ConnectionError("The program is gone.")
            answer = asking.result() if asking.done() else {"stopReason": "cancelled"}
            return answer if isinstance(answer, dict) else {}
        finally:
            asking.cancel()
            halted.cancel()

    async def _on_update(self, params: dict[str, Any]) -> None:
        if self._session is None or params.get("sessionId") != self._session.id:
            return  # What comes before the session is open is the replay of an earlier conversation.
        await self._tell(self._talk.read(params["update"]))
        if self._talk.unasked is not None:
            call, self._talk.unasked = self._talk.unasked, None
            self.violation = self.violation or self._decide(call).why or None
        await self._heed()

    async def _on_request(self, method: str, params: Any, is_notification: bool) -> Any:
        from acp.exceptions import RequestError

        if method != PERMISSION and is_notification:
            return None  # Programs tell of many things in words of their own.
        if method != PERMISSION:
            raise RequestError.method_not_found(method)
        if is_notification or not isinstance(params, dict) or not _has_call(params):
            raise RequestError.invalid_params({"details": "A question about a tool call names the call."})
        call, events = self._talk.ask(params["toolCall"])
        await self._tell(events)
        refusal = await self._judge(call, self._decide(call))
        found = questions.answer(params.get("options"), allowed=not refusal)
        if found is None:
            refusal = "The program offered no way to allow this call."
        await self._tell(self._talk.deny(call, refusal) if refusal else self._talk.permit(call))
        return found or questions.CANCELLED

    def _decide(self, call: Call) -> Verdict:
        """What our rules say of a call, which may be several things to them: the strictest counts."""
        return self._permissions.decide_all(naming.for_rules(call))

    async def _tell(self, events: Iterable[AgentEvent]) -> None:
        for event in events:
            await self._emit(event)


def _has_call(params: dict[str, Any]) -> bool:
    told = params.get("toolCall")
    return isinstance(told, dict) and isinstance(told.get("toolCallId"), str)
