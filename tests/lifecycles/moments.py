"""What may happen next in a life: each moment is data that hypothesis draws, and shrinks when a life goes wrong.

None depends on what there is while it is drawn: it says 'the third task', and means it modulo what it finds.
"""

from typing import TYPE_CHECKING, get_args

from hypothesis import strategies as st
from msgspec import Struct

from app.agents.rows import AgentType
from app.runners.base import ErrorType
from tests.lifecycles import authors
from tests.lifecycles.asking import NAMES, choose
from tests.lifecycles.faults import CrashAfter, CrashAfterTurns, DatabaseCut, Fault, HangsUp
from tests.lifecycles.picking import pick

if TYPE_CHECKING:
    from tests.lifecycles.machine import Life

#: With more than these a life would only repeat itself.
MOST_TASKS, MOST_AGENTS = 7, 5


class Asks(Struct, frozen=True):
    """Somebody asks for something, and meanwhile something may break."""

    what: str
    which: int
    how: int
    fault: Fault | None = None

    def happen(self, life: "Life") -> None:
        """In the server."""
        life.tell(choose(self.what, life.world.look(), self.which, self.how), fault=self.fault)


class AskAtOnce(Struct, frozen=True):
    """Two people ask for something at the same moment."""

    one: Asks
    other: Asks

    def happen(self, life: "Life") -> None:
        """In the server; what each wants is chosen before either has it."""
        sight = life.world.look()
        life.tell(*(choose(each.what, sight, each.which, each.how) for each in (self.one, self.other)))


class TaskIsAdded(Struct, frozen=True):
    """A new card; on a full board one that is there is put to work."""

    starts: bool
    agent: int | None

    def happen(self, life: "Life") -> None:
        """In the server."""
        sight = life.world.look()
        if len(sight.tasks) >= MOST_TASKS:
            life.tell(choose("start", sight, 0, 0))
            return
        agent = None if self.agent is None else pick(sight.agents, self.agent)
        life.add_task(self.starts, agent.id if agent else None)


class AgentIsAdded(Struct, frozen=True):
    """One more agent."""

    kind: AgentType

    def happen(self, life: "Life") -> None:
        """In the server."""
        if len(life.world.look().agents) < MOST_AGENTS:
            form = {"project_id": life.world.project.id, "name": f"agent-{life.next()}", "kind": self.kind}
            life.tell(("add_agent", form))


class ServerRestarts(Struct, frozen=True):
    """The server is stopped in order and started anew."""

    def happen(self, life: "Life") -> None:
        """Between two servers."""
        life.restart()


class AgentEnds(Struct, frozen=True):
    """An agent has made something, or nothing, and ends; meanwhile somebody asks for something, or something breaks."""

    which: int
    makes: tuple[str, ...]
    ending: ErrorType | None
    asks: Asks | None = None
    fault: Fault | None = None

    def happen(self, life: "Life") -> None:
        """In its worktree, and then in the server."""
        sight = life.world.look()
        if run := pick(sight.at_work, self.which):
            for deed in self.makes:
                life.do(deed, sight.worktree_of(run), "an agent")
            asked = choose(self.asks.what, sight, self.asks.which, self.asks.how) if self.asks else None
            life.tell(("end", {"run_id": run.id, "error_type": self.ending}), asked, fault=self.fault)


class AgentWorks(Struct, frozen=True):
    """An agent does something to its worktree."""

    which: int
    deeds: tuple[str, ...]

    def happen(self, life: "Life") -> None:
        """In its worktree."""
        sight = life.world.look()
        if run := pick(sight.at_work, self.which):
            for deed in self.deeds:
                life.do(deed, sight.worktree_of(run), "an agent")


class AgentSpeaks(Struct, frozen=True):
    """An agent says something or calls a tool, and may not come to the end of it."""

    which: int
    whole: bool
    calls: bool

    def happen(self, life: "Life") -> None:
        """In the server."""
        if run := pick(life.world.look().at_work, self.which):
            number = str(life.next())
            if self.calls:
                life.tell(("call", {"run_id": run.id, "number": number, "ends": self.whole}))
            else:
                life.tell(("say", {"run_id": run.id, "text": number, "whole": self.whole}))


class UserWorks(Struct, frozen=True):
    """The user does something in their own working copy."""

    deeds: tuple[str, ...]

    def happen(self, life: "Life") -> None:
        """In the project's folder."""
        for deed in self.deeds:
            life.do(deed, life.world.root, "the user")


class VisitorWorks(Struct, frozen=True):
    """A person does something in a worktree in which no agent works."""

    which: int
    deed: str

    def happen(self, life: "Life") -> None:
        """In the worktree."""
        sight = life.world.look()
        busy = {sight.worktree_of(run) for run in sight.at_work}
        idle = [each.root for each in sight.worktrees if each.root not in busy and each.root.is_dir()]
        life.do(self.deed, pick(idle, self.which), "a visitor")


Moment = (
    Asks | AskAtOnce | TaskIsAdded | AgentIsAdded | ServerRestarts | AgentEnds | AgentWorks | AgentSpeaks | UserWorks
    | VisitorWorks
)  # fmt: skip

#: Which of several things, and in which way.
_WHICH, _HOW = st.integers(0, 31), st.integers(0, 63)
#: A command takes 10 to 1,000 turns of the event loop, and 10 to 300 milliseconds.
_TURNS = st.integers(0, 600)
_FAULTS = st.one_of(
    st.builds(HangsUp, _TURNS),
    st.builds(CrashAfterTurns, _TURNS),
    st.builds(CrashAfter, st.integers(1, 250)),
    st.builds(DatabaseCut, st.integers(0, 100)),
)
_ENDINGS: st.SearchStrategy[ErrorType | None] = st.sampled_from(
    (None, None, None, None, "turn_limit", "timeout", "process_exit", "api_error", "setup_failed")
)
_ASKS = st.builds(Asks, st.sampled_from(NAMES), _WHICH, _HOW)


def _deeds(of: tuple[authors.Deed, ...], least: int, most: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from([deed.__name__ for deed in of]), min_size=least, max_size=most).map(tuple)


def _ends(
    asks: st.SearchStrategy[Asks | None], faults: st.SearchStrategy[Fault | None]
) -> st.SearchStrategy[AgentEnds]:
    makes = st.sampled_from([(), ("writes",), ("edits",), ("commits",), ("edits", "stages"), ("edits", "commits")])
    return st.builds(AgentEnds, _WHICH, makes, _ENDINGS, asks, faults)


#: How often each kind of moment comes, of all of these together.
_KINDS: list[tuple[int, st.SearchStrategy[Moment]]] = [
    (9, st.builds(AgentWorks, _WHICH, _deeds(authors.BY_AGENTS, 1, 4))),
    (11, _ASKS),
    (4, st.builds(AskAtOnce, _ASKS, _ASKS)),
    (3, st.builds(Asks, st.sampled_from(NAMES), _WHICH, _HOW, _FAULTS)),
    (2, st.builds(TaskIsAdded, st.booleans(), st.none() | _WHICH)),
    (2, st.builds(AgentIsAdded, st.sampled_from(get_args(AgentType)))),
    (1, st.builds(ServerRestarts)),
    (6, _ends(st.none(), st.none())),
    (1, _ends(_ASKS, st.none())),
    (1, _ends(st.none(), _FAULTS)),
    (7, st.builds(AgentSpeaks, _WHICH, st.booleans(), st.booleans())),
    (7, st.builds(UserWorks, _deeds(authors.BY_THE_USER, 1, 3))),
    (4, st.builds(VisitorWorks, _WHICH, st.sampled_from([deed.__name__ for deed in authors.BY_A_VISITOR]))),
]
#: One rule and not many: hypothesis leaves out half of the rules of a life, and a life of half of these is dull.
MOMENTS: st.SearchStrategy[Moment] = st.sampled_from(
    [kind for kind, (times, _) in enumerate(_KINDS) for _ in range(times)]
).flatmap(lambda kind: _KINDS[kind][1])
