"""Start Claude Code, hold the conversation, and say how it ended."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.processes import trees
from app.processes.spawning import read_guard_pid, read_start_error
from app.runners.base import (
    GO_ON,
    Availability,
    Capabilities,
    ErrorType,
    Finished,
    LiveRun,
    Notice,
    Rested,
    RunSpec,
)
from app.runners.claude import endings
from app.runners.claude.conversation import Conversation
from app.runners.claude.options import Hooks, make_options
from app.runners.claude.program import find_claude
from app.runners.live import QueuedRun
from app.runners.permissions import Permissions

if TYPE_CHECKING:
    from claude_agent_sdk import ClaudeSDKClient

#: Seconds a stop waits for a program that is just being started.
START_PATIENCE_S = 5.0


class ClaudeRunner:
    """Claude Code through the Claude Agent SDK."""

    kind = "claude"
    capabilities = Capabilities(
        live_text=True,
        tool_events=True,
        tool_durations="native",
        tokens="exact",
        cost=True,
        resume=True,
        messages=True,
        max_turns="native",
        tool_limits="native",
        pause="turn",
    )

    def availability(self, env: Mapping[str, str], command: tuple[str, ...] = ()) -> Availability:
        """Whether the SDK, the program and a key or sign-in are there."""
        return find_claude(env)

    async def start(self, spec: RunSpec) -> LiveRun:
        """Start the program; how it went is told by `Finished`."""
        return ClaudeRun(spec)


class ClaudeRun(QueuedRun):
    """One process of Claude Code and the prompts it is given."""

    def __init__(self, spec: RunSpec) -> None:
        self._permissions = Permissions(spec.allowed_tools, spec.cwd, spec.rules)
        self._conversation = Conversation(self._permissions, spec.turns_before, spec.usage_before)
        #: Somebody asked for a rest; and the program was told to end its turn for it.
        self._pausing = self._halted = False
        #: The program while it answers; and whether that answer was cut off for a message.
        self._answering: ClaudeSDKClient | None = None
        self._hurried = False
        #: Whether a new conversation was begun because the old one had grown too long.
        self._told_anew = False
        self._stderr: deque[str] = deque(maxlen=20)
        #: Set while no program is being started.
        self._settled = asyncio.Event()
        self._settled.set()
        super().__init__(spec)

    async def pause(self) -> bool:
        """Rest when the calls of the current turn have ended, or the answer that ends it is there."""
        self._pausing = True
        self.withdraw_questions()
        return False

    async def resume(self) -> None:
        self._pausing = False
        self.ask_again()

    async def hurry(self) -> None:
        """Interrupt the answer that is going on; what it has said so far is kept."""
        from claude_agent_sdk import ClaudeSDKError

        if (client := self._answering) and not self._hurried:
            self._hurried = True
            self.withdraw_questions()
            with contextlib.suppress(ClaudeSDKError):  # It has just ended, which its stream tells.
                await client.interrupt()

    async def _work(self) -> Finished | Rested:
        program = find_claude(self.spec.env)
        if not program.ready:
            return Finished(error_type="runner_missing", error=program.missing)
        if self.spec.temperature is not None:
            await self.emit(Notice(text="The temperature is not used: Claude Code does not take one.", level="warning"))
        try:
            return await self._talk(program.program)
        except Exception as error:  # Whatever the SDK raises is the program's end; which one, the facts tell.
            return self._died(error)
        finally:
            await trees.sweep(self.spec.run_id)
            for event in self._conversation.close_open_calls():
                await self.emit(event)

    async def _talk(self, program: str) -> Finished | Rested:
        try:
            return await self._talk_in(program, self.spec.resume, self.spec.prompt)
        except endings.TooLong as conversation:
            text = "The conversation has grown too long for the model; the agent goes on in a new one."
            await self.emit(Notice(text=text, level="warning"))
            return await self._talk_in(program, None, await self._retold(conversation.prompt))

    async def _talk_in(self, program: str, resume: str | None, prompt: str) -> Finished | Rested:
        """Hold one conversation: the known one, or without `resume` a new one."""
        self._conversation.native_session_id = None
        client = await self._connect(program, resume)
        if client is None and resume is not None and self.stop_reason is None:
            text = "The earlier conversation is not known any more on this machine; the agent starts afresh."
            await self.emit(Notice(text=text, level="warning"))
            client, prompt = await self._connect(program, None), await self._retold(prompt)
        if client is None:
            return Finished(error_type=self.stop_reason)
        try:
            return await self._converse(client, prompt)
        finally:
            await client.disconnect()

    async def _retold(self, prompt: str) -> str:
        return await self.spec.retell(prompt) if self.spec.retell else prompt

    async def _connect(self, program: str, resume: str | None) -> "ClaudeSDKClient | None":
        """The started program; None when the run was stopped meanwhile, or the conversation `resume` is unknown."""
        from claude_agent_sdk import ClaudeSDKClient

        self._settled.clear()
        try:
            if self.stop_reason:
                return None
            hooks = Hooks(before_tool=self._before_tool, after_tool=self._after_tool, stderr=self._stderr.append)
            client = ClaudeSDKClient(make_options(self.spec, program, resume, self._permissions.tools, hooks))
            await client.connect()
            return client
        except Exception as error:
            if resume is None or not endings.is_unknown(error, self._stderr):
                raise
            return None
        finally:
            self._settled.set()

    async def _converse(self, client: "ClaudeSDKClient", prompt: str) -> Finished | Rested:
        talk = self._conversation
        following: str | None = prompt
        while following is not None:
            await self._answer(client, following)
            if self.stop_reason or talk.result is None or (talk.result.is_error and not self._is_cut_off):
                self._require_short(following)
                return self._failed()
            if self._pausing and self._has_turns_left():
                return self._rested()
            following = await self._next_prompt()
        return self._finished(self.stop_reason)

    async def _answer(self, client: "ClaudeSDKClient", prompt: str) -> None:
        self._conversation.result = None
        self._hurried = False
        if not self._pausing:
            self.ask_again()
        await client.query(prompt)
        self._answering = client
        try:
            async for message in client.receive_response():
                await self._hear(message)
        finally:
            self._answering = None

    @property
    def _is_cut_off(self) -> bool:
        """Whether the answer ended because `hurry` wanted it to."""
        result = self._conversation.result
        return self._hurried and result is not None and result.subtype == "error_during_execution"

    def _require_short(self, prompt: str) -> None:
        if not self._told_anew and endings.is_too_long(self._conversation.result):
            self._told_anew = True
            raise endings.TooLong(prompt)

    async def _next_prompt(self) -> str | None:
        halted, self._halted = self._halted or self._is_cut_off, False
        if halted and not self._has_turns_left():
            return None
        message = await self.ask_next(self._program_gone()) if self._has_turns_left() else None
        # It was halted for a rest that nobody wants any more, or for a message that was taken back.
        return message or (GO_ON if halted and not self.stop_reason else None)

    def _has_turns_left(self) -> bool:
        return not self.spec.max_turns or self._conversation.turns < self.spec.max_turns

    async def _program_gone(self) -> None:
        if pid := read_guard_pid(self.spec.state_dir):
            await trees.wait_gone(pid, trees.start_ticks(pid), None)

    async def _hear(self, message: Any) -> None:
        if getattr(message, "subtype", None) == "init" and self._conversation.native_session_id is None:
            pid = read_guard_pid(self.spec.state_dir)
            await self.emit(self._conversation.started(message.data, pid, trees.start_ticks(pid) if pid else None))
        for event in self._conversation.read(message):
            await self.emit(event)

    async def _before_tool(self, hook: Any, _call_id: str | None, _context: Any) -> Any:
        for event in self._conversation.before_tool(hook):
            await self.emit(event)
        refusal = await self._refusal(hook)
        for event in self._conversation.decided(hook["tool_use_id"], refusal):
            await self.emit(event)
        decision = {"permissionDecision": "deny" if refusal else "allow", "permissionDecisionReason": refusal}
        answer = {"hookSpecificOutput": {"hookEventName": "PreToolUse", **decision}}
        return answer | self._halt_if_pausing(hook) if refusal else answer  # After a refusal no other hook is called.

    async def _refusal(self, hook: Any) -> str:
        """Why the call does not run; empty when it does. A person is waited for as long as it takes."""
        tool, given = hook["tool_name"], hook["tool_input"]
        verdict = self._permissions.decide(tool, given)
        return await self.refusal(hook["tool_use_id"], tool, given, verdict, self._program_gone())

    async def _after_tool(self, hook: Any, _call_id: str | None, _context: Any) -> Any:
        for event in self._conversation.after_tool(hook):
            await self.emit(event)
        return self._halt_if_pausing(hook)

    def _halt_if_pausing(self, hook: Any) -> dict[str, Any]:
        """End the turn once all its calls have ended, before the model is asked again; not that of a subagent alone."""
        if not self._pausing or hook.get("agent_id"):
            return {}
        self._halted = True
        return {"continue_": False, "stopReason": "The run was paused."}

    def _failed(self) -> Finished:
        if self.stop_reason:
            return self._finished(self.stop_reason)
        return self._finished(*endings.failure(self._conversation.result, self.spec.max_turns))

    def _died(self, error: Exception) -> Finished:
        if self.stop_reason:
            return self._finished(self.stop_reason)
        return self._finished(*endings.death(error, read_start_error(self.spec.state_dir / "guard.json"), self._stderr))

    def _rested(self) -> Rested:
        talk = self._conversation
        session = talk.native_session_id or self.spec.resume
        return Rested(turn_count=talk.turns, usage=talk.usage, native_session_id=session)

    def _finished(self, error_type: ErrorType | None, error: str | None = None) -> Finished:
        talk = self._conversation
        return Finished(
            error_type=error_type,
            error=None if error_type == self.stop_reason else error,
            result=talk.result_text,
            turn_count=talk.turns,
            usage=talk.usage,
            native_session_id=talk.native_session_id or self.spec.resume,
        )

    async def _end_processes(self) -> None:
        try:
            async with asyncio.timeout(START_PATIENCE_S):
                await self._settled.wait()
        except TimeoutError:
            pass  # It hangs while starting: the sweep below finds it by its marker.
        pid = read_guard_pid(self.spec.state_dir)
        if pid is not None:
            await trees.end_tree(pid, trees.start_ticks(pid), self.spec.run_id)
        else:
            await trees.sweep(self.spec.run_id)
