"""Whether the program behind an agent is on this machine, and its key set."""

from collections.abc import Mapping
from pathlib import PurePath

from app.agents.rows import AgentConfig
from app.agents.views import Program
from app.runners.registry import RUNNERS


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
