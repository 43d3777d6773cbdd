"""What the pages of agents show."""

from datetime import datetime

from msgspec import Struct

from app.configuration.views import ConfigurationView
from app.runners.rules import Rules
from app.web.forms import Entered


class AgentRow(Struct, frozen=True, kw_only=True):
    """One agent of a project, and what it works on."""

    id: str
    name: str
    type: str
    status: str
    runner: str
    model: str = ""
    task_id: str = ""
    task_title: str = ""
    session_id: str = ""
    session_title: str = ""
    total_tasks: int = 0
    completed_tasks: int = 0
    failed_tasks: int = 0
    last_error: str = ""
    #: Whether it asks a person for a call, and nobody has answered.
    asks: bool = False


class AgentDefaults(Struct, frozen=True, kw_only=True):
    """What a new agent gets from its project where the form says nothing."""

    max_turns: int
    timeout_minutes: int = 60
    allowed_tools: tuple[str, ...]
    model: str = ""
    permissions: Rules = Rules()


class Offer(Struct, frozen=True, kw_only=True):
    """A known program: how an agent is told to use it, and whether it is on this machine."""

    id: str
    name: str
    runner: str
    #: As the form takes it; empty where the runner knows its program itself.
    command: str
    is_installed: bool
    path: str = ""
    #: Empty where it is not told, or not yet.
    version: str = ""
    #: The line that installs it.
    install: str
    #: What its sign-in was told by, or how to sign in. Nothing but names of variables is ever told.
    sign_in: str
    is_signed_in: bool


class AgentList(Struct, frozen=True, kw_only=True):
    """The agents of a project, how many may work at once, and the form of a new one."""

    project_id: str
    agents: tuple[AgentRow, ...]
    max_concurrent_agents: int
    defaults: AgentDefaults
    queued: int = 0
    form: Entered = Entered()
    offers: tuple[Offer, ...] = ()


class AgentRun(Struct, frozen=True, kw_only=True):
    """One run. `duration` in milliseconds, None while it goes on; `error_type` is empty for success."""

    id: str
    status: str
    error_type: str = ""
    task_id: str = ""
    task_title: str = ""
    session_id: str = ""
    turn_count: int = 0
    #: None where the program does not tell.
    token_input_count: int | None = None
    token_output_count: int | None = None
    duration: int | None = None
    started_at: datetime
    #: Whether it waits for a person.
    asks: bool = False


class AgentNumbers(Struct, frozen=True, kw_only=True):
    """Counts over all runs of an agent. Medians are None before the first run has ended; durations in milliseconds."""

    runs: int = 0
    total_tasks: int = 0
    completed_tasks: int = 0
    failed_tasks: int = 0
    median_turns: int | None = None
    median_duration: int | None = None
    #: None while no run has told any.
    tokens: int | None = None


class Ending(Struct, frozen=True):
    """How many runs ended for one reason: `completed`, or an `error_type`."""

    reason: str
    count: int


class Program(Struct, frozen=True, kw_only=True):
    """The program behind an agent. `missing` is one sentence that says what to do; empty when it can start."""

    name: str = ""
    path: str = ""
    version: str = ""
    missing: str = ""
    #: The line that installs a known program that is not there.
    install: str = ""
    #: Of a known program that is there: what its sign-in was told by, or how to sign in.
    sign_in: str = ""
    is_signed_in: bool = False


class ChatLink(Struct, frozen=True, kw_only=True):
    """A session in which an agent worked outside of any task, newest first."""

    id: str
    title: str
    is_active: bool
    #: Whether it waits for the agent and a slot.
    waits: bool
    is_here: bool
    message_count: int
    updated_at: datetime


class AgentView(Struct, frozen=True, kw_only=True):
    """One agent: its configuration as it is stored, its state now, its numbers and newest runs."""

    id: str
    project_id: str
    name: str
    type: str
    status: str
    runner: str
    command: str = ""
    model: str = ""
    max_turns: int | None = None
    timeout_minutes: int | None = None
    allowed_tools: tuple[str, ...] = ()
    permissions: Rules = Rules()
    #: How far tools and rules reach, in a sentence; empty where that is every call.
    reach: str = ""
    system_prompt: str = ""
    temperature: float | None = None
    prompt: str = ""
    #: `required`, where the agent itself demands one; and why its next run would have none, empty when it has.
    sandbox: str = ""
    no_sandbox: str = ""
    last_error: str = ""
    last_error_at: datetime | None = None
    task_id: str = ""
    task_title: str = ""
    session_id: str = ""
    session_title: str = ""
    tool: str = ""
    argument: str = ""
    #: Where the question is answered that waits for a person; tool and argument are its call's then.
    asked_path: str = ""
    turn: int = 0
    #: Of the run that is going on.
    turn_limit: int | None = None
    running_since: datetime | None = None
    #: Somebody wants it to rest, or it rests; and since when it does.
    pause_requested: bool = False
    paused_at: datetime | None = None
    numbers: AgentNumbers = AgentNumbers()
    runs: tuple[AgentRun, ...] = ()
    chats: tuple[ChatLink, ...] = ()
    chat_form: Entered = Entered()
    endings: tuple[Ending, ...] = ()
    program: Program = Program()
    #: What holds for its next run, and who said it.
    configuration: ConfigurationView | None = None
    offers: tuple[Offer, ...] = ()
    #: Whether it never ran, so that nothing of the record would go with it.
    can_delete: bool = False
    form: Entered = Entered()

    @property
    def waits(self) -> bool:
        """Whether a session of it waits for a slot."""
        return any(chat.waits for chat in self.chats)
