"""The command `agentpane`. This module imports only click: a command's own module is imported when it runs."""

import sys
from importlib import import_module

import click

from app import __version__

#: Each command, its module in this package, and its line in `--help`.
COMMANDS = {
    "serve": "Serve the board to browsers; also what runs when no command is given.",
    "demo": "Serve a sample project with a scripted agent, to see how it works without a key.",
    "project": "Add repositories to the board, and list them.",
    "task": "Add tasks, start them, and decide on the work.",
    "agent": "Add agents to a project, and list them.",
    "audit": "Verify that nobody has changed what agents did and people decided.",
    "doctor": "Say what AgentPane needs of this machine, and which agent programs it finds.",
    "db": "Look after the database: its address, migrations, a check, and a studio.",
}


def main() -> None:
    """Run the command line and end the process: 0 done, 1 refused, 2 used wrongly; errors are one sentence."""
    sys.exit(run(sys.argv[1:] or ["serve"]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        code = agentpane.main(arguments, prog_name="agentpane", standalone_mode=False)
    except click.UsageError as error:
        return _refuse(f"{error.format_message()} See '{_help_of(error)}'.", 2)
    except click.ClickException as error:
        return _refuse(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        sentence, code = _known(error)
        return _refuse(sentence, code)
    return code if isinstance(code, int) else 0


class _LazyGroup(click.Group):
    """A group whose commands are imported when they run, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"app.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_LazyGroup, no_args_is_help=False)
@click.version_option(__version__, message="AgentPane %(version)s")
def agentpane() -> None:
    """A self-hosted board for people who let AI coding agents work on their git repositories."""


def _refuse(sentence: str, code: int) -> int:
    click.echo(sentence, err=True)
    return code


def _help_of(error: click.UsageError) -> str:
    return f"{error.ctx.command_path if error.ctx else 'agentpane'} --help"


def _known(error: Exception) -> tuple[str, int]:
    """The sentence of an error that is an answer; any other is a fault of ours and is shown in full."""
    from app.errors import DomainError
    from app.postgres.errors import PostgresError
    from app.settings import SettingsError

    if isinstance(error, SettingsError):
        return str(error), 2
    if isinstance(error, DomainError | PostgresError):
        return str(error), 1
    raise error
