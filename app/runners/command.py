"""Any program as an agent: arguments without a shell, the prompt in one of them or on standard input, 0 is success."""

import asyncio
import os
import shutil
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.processes.sandbox import Sandbox
from app.processes.spawning import GuardedProcess, spawn
from app.runners.asked_calls import AskedCalls
from app.runners.base import Availability, Capabilities, ErrorType, Finished, LiveRun, Notice, RunSpec, Started
from app.runners.hook_calls import HookCall, call_of, reply_to
from app.runners.hooked import Hooked, hooked
from app.runners.hooks import ASK, Hooks, Reply, Untold, refused
from app.runners.live import QueuedRun
from app.runners.outcomes import describe_exit
from app.runners.output import OutputReader, StderrReader
from app.runners.permissions import Permissions
from app.runners.tool_names import ACTING, for_rules

PROMPT = "{prompt}"
#: Seconds in which the last output must be read and recorded once the program is gone.
LAST_WORDS_S = 30.0


class CommandRunner:
    """Runs `RunSpec.command` in the worktree."""

    kind = "command"
    capabilities = Capabilities(
        live_text=True, tool_events=True, tool_durations="none", tokens="partial", cost=False, pause="freeze"
    )

    def availability(self, env: Mapping[str, str], command: tuple[str, ...] = ()) -> Availability:
        """Whether the program of `command` is found; a path relative to the worktree is looked at when a run starts."""
        return find_program(command, env, None)

    async def start(self, spec: RunSpec) -> LiveRun:
        """Start the command; how it went is told by `Finished`."""
        return CommandRun(spec)


class CommandRun(QueuedRun):
    """One execution of a command."""

    def __init__(self, spec: RunSpec) -> None:
        self._process: GuardedProcess | None = None
        self._starting = asyncio.Lock()
        self._permissions = Permissions(spec.allowed_tools, spec.cwd, spec.rules)
        self._calls = AskedCalls(self.emit, self._ran_unasked)
        self._output: OutputReader | None = None
        self._hooked: Hooked | None = None
        #: What the program did without asking although our rules speak against it.
        self._violation = ""
        super().__init__(spec)

    async def pause(self) -> bool:
        """A command knows no turns: its processes stand still where they are."""
        async with self._starting:
            return self._process is not None and await self._process.freeze()

    async def resume(self) -> None:
        async with self._starting:
            if self._process:
                await self._process.thaw()

    async def hurry(self) -> None:
        """A command takes no messages, so there is nothing to hurry for."""

    async def _work(self) -> Finished:
        program = find_program(self.spec.command, self.spec.env, self.spec.cwd)
        if not program.ready:
            return Finished(error_type="runner_missing", error=program.missing)
        async with Hooks(self.spec.state_dir, self._told, self.spec.sandbox) as hooks:
            start = hooked(self.spec.command, {**self.spec.env, ASK: str(hooks.program)}, self.spec.cwd)
            self._hooked = start
            if start.warning:
                await self.emit(Notice(text=start.warning, level="warning"))
            argv, text_input = place_prompt(start.argv, self.spec.prompt)
            process = await self._start(argv, start.env, text_input is not None, hooks.sandbox)
            if process is None:
                return Finished(error_type=self.stop_reason)
            return await self._follow(process, text_input or "")

    async def _start(
        self, argv: list[str], env: Mapping[str, str], has_input: bool, sandbox: Sandbox | None
    ) -> GuardedProcess | None:
        async with self._starting:  # A stop waits here, so that it never misses a process that is being made.
            if self.stop_reason is None:
                self._process = await spawn(
                    argv, env=env, cwd=self.spec.cwd, state_dir=self.spec.state_dir,
                    marker=self.spec.run_id, has_input=has_input, sandbox=sandbox,
                )  # fmt: skip
        return self._process

    async def _told(self, told: bytes, gone: Coroutine[Any, Any, None]) -> Reply:
        """What a hook of the program is answered: before a call whether it may run, after it nothing."""
        try:
            call = call_of(told)
        except Untold as why:
            gone.close()
            return refused(str(why))
        if call.has_ended:
            gone.close()
            await self._calls.ended(call)
            return Reply()
        return reply_to(await self._refusal(call, gone), self._hooked.reads if self._hooked else "both")

    async def _refusal(self, call: HookCall, gone: Coroutine[Any, Any, None]) -> str:
        verdict = self._permissions.decide_all(for_rules(call.tool, call.input))
        call_id = await self._calls.asked(call, self._output.turns if self._output else 0)
        refusal = await self.refusal(call_id, call.tool, call.input, verdict, gone)
        is_last_word = not call.id and not (self._output and self._output.parser)
        await self._calls.decided(call_id, refusal, is_last_word=is_last_word)
        return refusal

    async def _ran_unasked(self, tool: str, given: dict[str, Any]) -> None:
        """The output tells of a call that ran although no hook asked for it, or it was refused."""
        if not (self._hooked and self._hooked.is_known) or self._violation:
            return
        calls = for_rules(tool, given)
        verdict = self._permissions.decide_all(calls)
        if verdict.decision != "allow" and any(name in ACTING for name, _ in calls):
            self._violation = f"The program did not ask for a call of {tool}. {verdict.why}"
            self._ending = asyncio.create_task(self._end_processes())

    async def _follow(self, process: GuardedProcess, text_input: str) -> Finished:
        started = Started(pid=process.pid, start_ticks=process.start_ticks)
        await self.emit(started)
        output = self._output = OutputReader(
            process.stdout, self._calls.heard, started, self.spec.turns_before, self.spec.usage_before
        )
        stderr = StderrReader(process.stderr, self.emit)
        async with asyncio.TaskGroup() as streams:
            tasks = [streams.create_task(each) for each in (process.write(text_input), output.read(), stderr.read())]
            code = await process.wait()
            await self._see_to_the_end(tasks)
        await output.finish()
        await self._calls.close(is_success=code == 0 and self.stop_reason is None)
        error_type, error = self._verdict(code, process, output, stderr)
        return Finished(
            error_type=error_type,
            error=error,
            result=output.result,
            turn_count=output.turns,
            usage=output.usage,
            native_session_id=output.native_session_id,
        )

    async def _see_to_the_end(self, streams: list[asyncio.Task[None]]) -> None:
        """The processes are gone, so the streams end by themselves, unless somebody unknown took them along."""
        _, held_open = await asyncio.wait(streams, timeout=LAST_WORDS_S)
        for stream in held_open:
            stream.cancel()
        if held_open:
            text = "A process that is not of this run holds its output open; the rest was not read."
            await self.emit(Notice(text=text, level="warning"))

    def _verdict(
        self, code: int, process: GuardedProcess, output: OutputReader, stderr: StderrReader
    ) -> tuple[ErrorType | None, str | None]:
        if self.stop_reason:
            return self.stop_reason, None
        if process.start_error:
            return "setup_failed", f"{self.spec.command[0]} could not be started: {process.start_error}."
        if self._violation:
            return "tool_denied", self._violation
        if process.excess:
            return "process_exit", process.excess
        if code == 0:
            return None, None
        if self.spec.sandbox and stderr.tail and stderr.tail[-1].startswith("bwrap: "):
            return "setup_failed", f"{self.spec.command[0]} could not be started in its sandbox: {stderr.tail[-1]}."
        said = [output.error] if output.error else stderr.tail
        return output.error_type or "process_exit", "\n".join([describe_exit("The program", code), *said])

    async def _end_processes(self) -> None:
        async with self._starting:
            if self._process:
                await self._process.end()


def find_program(command: Sequence[str], env: Mapping[str, str], cwd: Path | None) -> Availability:
    """Where the first word of `command` is found with that environment."""
    if not command or not command[0]:
        return Availability(ready=False, missing="This agent has no command. Enter one on the agent's page.")
    name = command[0]
    if "/" not in name:
        found = shutil.which(name, path=env.get("PATH", os.defpath))
        missing = f"The program '{name}' was not found on PATH. Install it, or give its whole path."
    elif cwd is None and not name.startswith("/"):
        return Availability(ready=True, program=name)
    else:
        path = (cwd or Path("/")) / name
        found = str(path) if path.is_file() and os.access(path, os.X_OK) else None
        missing = f"{path} is not a program that can be started: it must exist and be executable."
    return Availability(ready=True, program=found) if found else Availability(ready=False, missing=missing)


def place_prompt(command: Sequence[str], prompt: str) -> tuple[list[str], str | None]:
    """The argument vector, and the text for standard input where no argument took the prompt."""
    argv = [word.replace(PROMPT, prompt) for word in command]
    return argv, None if any(PROMPT in word for word in command) else prompt
