"""Whether the program behind an agent is on this machine, and its key set."""

from collections.abc import Mapping
from pathlib import PurePath

from app.agents.rows import AgentConfig
from app.agents.views import Program
from app.runners.hooked import is_known
from app.runners.registry import RUNNERS

#: How far allowed tools and rules reach, where it is a command.
_ASKS = "This program asks before each of its calls, so that allowed tools and rules hold for them."
_MAY_ASK = (
    "Allowed tools and rules do not reach this command, unless it asks by itself: with the program that AGENTPANE_ASK"
    " names in its environment."
)


def reach_of(config: AgentConfig) -> str:
    """One sentence on what allowed tools and rules hold for; empty where that is every call."""
    if config.runner != "command":
        return ""
    return _ASKS if is_known(config.command) else _MAY_ASK


def program_of(config: AgentConfig, environment: Mapping[str, str]) -> Program:
    """The program that a run with this configuration would start in `environment`."""
    runner = RUNNERS.get(config.runner)
    if runner is None:
        return Program(missing="This version has no such runner. Choose another one below.")
    found = runner.availability(environment, config.command)
    return Program(
        name=PurePath(found.program).name,
        path=found.program,
        version=found.version,
        missing="" if found.ready else found.missing,
    )
