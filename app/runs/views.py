"""What the list of runs shows."""

from msgspec import Struct

from app.agents.views import AgentRun


class RunRow(AgentRun, frozen=True, kw_only=True):
    """One run in a list over all agents. `first_line` is the beginning of its prompt."""

    agent_id: str
    agent_name: str
    first_line: str = ""


class RunList(Struct, frozen=True, kw_only=True):
    """A page of runs, newest first. `status` is the filter; `newer` and `older` are addresses, empty at the ends."""

    project_id: str
    runs: tuple[RunRow, ...]
    status: str = ""
    newer: str = ""
    older: str = ""
