"""The one interface behind which every coding agent works: a spec goes in, a stream of events comes out.

A run's stream ends with exactly one `Finished` or `Rested`, and when that has been yielded no process of the run is
alive.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from msgspec import Struct

from app.processes.sandbox import Sandbox
from app.runners.rules import Rules

#: Why a run ended, when it was not success (`agent_runs.error_type`).
ErrorType = Literal[
    "stopped",
    "turn_limit",
    "budget",
    "timeout",
    "stalled",
    "interrupted",
    "process_exit",
    "api_error",
    "setup_failed",
    "tool_denied",
    "runner_missing",
]


#: What an agent that was paused is told, when nobody says anything else.
GO_ON = "Go on where you stopped."


class Capabilities(Struct, frozen=True):
    """What a runner can tell and do; a page says 'unknown' for what it cannot."""

    live_text: bool = False
    tool_events: bool = False
    #: `native`: the program measures; `measured`: we do, from start to end of the call.
    tool_durations: Literal["native", "measured", "none"] = "none"
    tokens: Literal["exact", "partial", "none"] = "none"
    cost: bool = False
    resume: bool = False
    #: Messages can be handed to the live conversation; otherwise they start a follow-up run.
    messages: bool = False
    max_turns: Literal["native", "counted", "none"] = "none"
    tool_limits: Literal["native", "none"] = "none"
    #: `turn`: it rests after its current turn, without a process; `freeze`: its processes stand still where they are.
    pause: Literal["turn", "freeze", "none"] = "none"


class Availability(Struct, frozen=True):
    """Whether a runner's program and key are on this machine, and what to do when they are not."""

    ready: bool
    program: str = ""
    version: str = ""
    #: One sentence for the page: what is missing and how to get it. Empty when ready.
    missing: str = ""
    #: The line that installs what is missing, where the runner itself knows it.
    install: str = ""


class Usage(Struct, frozen=True, kw_only=True, tag="usage"):
    """Tokens and money of the run so far; None where the program does not tell. Input counts cached tokens too."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    #: Parts of the input that came from a cache, and that were written into one.
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    #: Between two sums of the program: the newest tokens are in, and what they cost it has not told yet.
    is_partial: bool = False


class Question(Struct, frozen=True, kw_only=True):
    """A call that a person is asked for before it runs."""

    call_id: str
    tool: str
    input: dict[str, Any]
    #: The text of the rule that asks, and a sentence that says so.
    rule: str
    why: str
    #: Every rule that asks for this call, `rule` first.
    asking: tuple[str, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """What a person said to a question."""

    allowed: bool
    note: str = ""
    #: Who answered; empty when nobody did.
    by: str = ""


class RunSpec(Struct, frozen=True, kw_only=True):
    """Everything a runner needs for one run. Nothing else of the server reaches the program."""

    run_id: str
    cwd: Path
    prompt: str
    #: The whole environment of the program, built from an allow-list by the caller.
    env: Mapping[str, str]
    #: A folder of this run alone, for sockets, stderr and oversized output; exists, mode 0700.
    state_dir: Path
    command: tuple[str, ...] = ()
    system_prompt: str | None = None
    model: str | None = None
    temperature: float | None = None
    allowed_tools: tuple[str, ...] = ()
    #: Below the ceiling of `allowed_tools`: what is refused, asked for and allowed.
    rules: Rules = Rules()
    #: Asks a person, as long as it takes; cancelled when nobody needs the answer any more. None: nobody can be asked.
    ask: Callable[[Question], Awaitable[Answer]] | None = None
    max_turns: int | None = None
    #: Seconds of wall clock after which the run is ended with `timeout`.
    timeout_s: float = 3600.0
    #: Seconds without any event after which the run is ended with `stalled`.
    idle_timeout_s: float = 600.0
    #: The program's own conversation id, to go on where an earlier run stopped.
    resume: str | None = None
    #: Asked whenever the program has finished an answer: the next queued message, or None to let the run end.
    next_message: Callable[[], Awaitable[str | None]] | None = None
    #: Makes of a prompt one for a program that does not know `resume`, or for which that has grown too long.
    retell: Callable[[str], Awaitable[str]] | None = None
    #: Of a run that goes on after a pause: what it had done and used before; counts go on from there.
    turns_before: int = 0
    usage_before: Usage = Usage()
    #: How the program is confined; every runner hands it on to what starts its program.
    sandbox: Sandbox | None = None


class Started(Struct, frozen=True, kw_only=True, tag="started"):
    """The program is up. `pid` leads the run's process tree; `start_ticks` tells it from a later one of that number.

    It may come again when more is known, above all the conversation's id; the later one replaces the earlier.
    """

    native_session_id: str | None = None
    model: str | None = None
    tools: tuple[str, ...] = ()
    pid: int | None = None
    start_ticks: int | None = None


class TextDelta(Struct, frozen=True, kw_only=True, tag="text_delta"):
    """A piece of a message that is still being written."""

    message_id: str
    text: str


class Message(Struct, frozen=True, kw_only=True, tag="message"):
    """A whole message; replaces the deltas of the same `message_id`. One of a `user` came by `RunSpec.next_message`."""

    message_id: str
    text: str
    role: Literal["assistant", "user", "system"] = "assistant"
    #: Model turn this message belongs to, counted from 1.
    turn: int = 0


class ToolStarted(Struct, frozen=True, kw_only=True, tag="tool_started"):
    """The agent asked for a tool call."""

    call_id: str
    tool: str
    input: dict[str, Any]
    turn: int = 0


class ToolRunning(Struct, frozen=True, kw_only=True, tag="tool_running"):
    """The call passed every check and runs now."""

    call_id: str


class ToolFinished(Struct, frozen=True, kw_only=True, tag="tool_finished"):
    """The call ended. `duration_ms` is None when nobody measured it."""

    call_id: str
    status: Literal["complete", "error", "denied"]
    output: dict[str, Any] | None = None
    error: str | None = None
    duration_ms: int | None = None


class Retry(Struct, frozen=True, kw_only=True, tag="retry"):
    """The model's service refused and the program tries again."""

    attempt: int
    max_attempts: int | None = None
    delay_ms: int | None = None
    status: int | None = None
    error: str = ""


class Notice(Struct, frozen=True, kw_only=True, tag="notice"):
    """A line that is neither message nor tool: plain output, a warning, a cut."""

    text: str
    level: Literal["info", "warning", "error"] = "info"


class Finished(Struct, frozen=True, kw_only=True, tag="finished"):
    """The last event of every run. `error_type` is None exactly when the run succeeded."""

    error_type: ErrorType | None = None
    error: str | None = None
    result: str | None = None
    turn_count: int = 0
    usage: Usage = Usage()
    native_session_id: str | None = None


class Rested(Struct, frozen=True, kw_only=True, tag="rested"):
    """The last event of a program that was paused: its run goes on later, with `native_session_id` as `resume`."""

    turn_count: int = 0
    usage: Usage = Usage()
    native_session_id: str | None = None


AgentEvent = (
    Started
    | TextDelta
    | Message
    | ToolStarted
    | ToolRunning
    | ToolFinished
    | Usage
    | Retry
    | Notice
    | Finished
    | Rested
)


class LiveRun(Protocol):
    """One execution that is going on."""

    def events(self) -> AsyncIterator[AgentEvent]:
        """Yield what happens, in order; ends after the one `Finished` or `Rested`. To be read once, by one reader."""
        ...

    async def stop(self, reason: ErrorType = "stopped") -> None:
        """End the run with `reason`: the program is asked, then made to end, with its whole process tree.

        Returns when no process is left; `events()` then yields `Finished` with `error_type=reason`.
        Calling it on an ended run does nothing.
        """
        ...

    async def pause(self) -> bool:
        """Ask the run to rest. True: its processes stand still now, until `resume` or `stop`.

        False: its stream ends with `Rested` at the end of the current turn, or with `Finished` if that comes first.
        """
        ...

    async def resume(self) -> None:
        """Take a request to rest back, or let what stands still go on. What ended with `Rested` stays ended."""
        ...

    async def hurry(self) -> None:
        """Cut the current turn off, so that `RunSpec.next_message` is asked now; for runners with `messages`.

        A call that is running is ended by the program. Between two turns nothing happens.
        """
        ...


class Runner(Protocol):
    """A kind of program that can work as an agent."""

    kind: str
    capabilities: Capabilities

    def availability(self, env: Mapping[str, str], command: tuple[str, ...] = ()) -> Availability:
        """Whether this runner could start with that environment, without starting it."""
        ...

    async def start(self, spec: RunSpec) -> LiveRun:
        """Start the program. What goes wrong from here on is told by `Finished`, never by an exception."""
        ...
