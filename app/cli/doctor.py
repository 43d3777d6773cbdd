"""`agentpane doctor`: what is needed, what is there, and how to get the rest."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import options

if TYPE_CHECKING:
    from app.agents.views import Offer
    from app.system.health import Health

#: What stands before a line, for people who read and for those who search.
_MARKS = {"ok": "ok      ", "warning": "warning ", "missing": "MISSING "}


@click.command("doctor")
@options.data_dir
@options.as_json
def command(data_dir: Path | None, as_json: bool) -> None:
    """Say what AgentPane needs of this machine, and which agent programs it finds.

    Looks at git, the database, the data folder, the sandbox, and the version and sign-in of each agent program. Starts
    no agent and changes nothing. Ends with 1 if something that is needed is missing.
    """
    from app.cli.printing import print_json
    from app.cli.session import complete
    from app.runners.presets.versions import ANSWER_S
    from app.settings import read_settings
    from app.system.health import database_from_outside, examine

    settings = read_settings(data_dir=data_dir)

    async def work() -> "Health":
        return await examine(settings, database_from_outside(settings), ANSWER_S)

    health = complete(work())
    if as_json:
        print_json({"ok": health.is_complete, "checks": health.checks, "programs": health.programs})
    else:
        _print(health)
    if missing := [check.name for check in health.checks if check.state == "missing"]:
        raise click.ClickException(f"Something that is needed is missing: {', '.join(missing)}.")


def _print(health: "Health") -> None:
    from app.cli.printing import plain, print_table

    for check in health.checks:
        click.echo(f"{_MARKS[check.state]}{plain(check.name)}: {plain(check.text)}")
    click.echo()
    head = ("PROGRAM", "RUNNER", "VERSION", "SIGN-IN OR KEY", "NEXT")
    print_table(head, [_line(each) for each in health.programs], "No agent program is known.")


def _line(offer: "Offer") -> tuple[str, ...]:
    version = (offer.version or "installed") if offer.is_installed else "not found"
    sign_in = offer.sign_in if offer.is_signed_in else "none found"
    todo = "" if offer.is_signed_in else offer.sign_in
    return offer.name, offer.runner, version, sign_in, todo if offer.is_installed else offer.install
