"""What the page of a trial shows. None of it is stored: it is kept until the server ends or the next trial begins."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from app.web.forms import Entered

State = Literal["running", "succeeded", "failed", "stopped"]


class TriedTool(Struct, frozen=True, kw_only=True):
    """One tool call. `duration` in milliseconds, None while it runs or where nobody measured it."""

    name: str
    argument: str
    status: Literal["running", "ok", "failed", "refused"]
    duration: int | None = None
    error: str = ""


class Outcome(Struct, frozen=True, kw_only=True):
    """A trial that is going on or over. `duration` in milliseconds, None while it goes on."""

    prompt: str
    state: State
    started_at: datetime
    duration: int | None = None
    turns: int = 0
    #: None where the program does not tell.
    tokens_in: int | None = None
    tokens_out: int | None = None
    answer: str = ""
    tools: tuple[TriedTool, ...] = ()
    #: Calls beyond those that are listed.
    more_tools: int = 0
    #: Why it failed, in plain words, and what helps; the program's own words; and what it printed besides.
    cause: str = ""
    help: str = ""
    error: str = ""
    printed: tuple[str, ...] = ()
    #: Why it had no sandbox; empty when it had one.
    unconfined: str = ""


class TrialPage(Struct, frozen=True, kw_only=True):
    """The form of an agent's trial, and the newest one."""

    agent_id: str
    agent_name: str
    project_id: str
    prompt: str
    seconds: int
    outcome: Outcome | None = None
    form: Entered = Entered()
