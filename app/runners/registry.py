"""Every kind of runner by its name, as `agents.config.runner` calls it, each with the limits of its spec applied."""

from app.runners.acp import AcpRunner
from app.runners.base import Runner
from app.runners.claude import ClaudeRunner
from app.runners.command import CommandRunner
from app.runners.limits import LimitedRunner

RUNNERS: dict[str, Runner] = {
    runner.kind: LimitedRunner(runner) for runner in (ClaudeRunner(), AcpRunner(), CommandRunner())
}
