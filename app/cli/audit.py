"""`agentpane audit`: verify the chain of what agents did and people decided."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import options

if TYPE_CHECKING:
    from app.audit.verifying import Verified
    from app.projects.rows import ProjectRow


@click.group("audit")
def command() -> None:
    """Verify that nobody has changed what agents did and people decided."""


@command.command()
@click.option("--project", metavar="PROJECT", help="Only this one; else all.")
@click.option("--expect", metavar="NUMBER:HASH", help="A head of the project's chain that you noted.")
@options.data_dir
@options.as_json
def verify(project: str | None, expect: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Follow each project's chain to its head, and name the first entry that is not as it was written.

    Ends with 0 when everything is as it was written, else with 1. Note the head that is printed: with --expect a later
    verification tells whether the chain was cut off or written anew.
    """
    from app.audit.sentences import verdict
    from app.audit.verifying import verify as follow
    from app.cli.finding import chosen_projects
    from app.cli.printing import print_json
    from app.cli.session import complete, connected

    expected = _expected(expect)

    async def work() -> "list[tuple[ProjectRow, Verified]]":
        async with connected(data_dir):
            projects = await chosen_projects(project)
            if expected and len(projects) != 1:
                raise click.UsageError("A head belongs to one project: name it with --project.")
            return [(each, await follow(each.id, expected)) for each in projects]

    found = complete(work())
    if as_json:
        print_json([_facts(*each) for each in found])
    else:
        _print(found)
    if broken := [f"{_named(each)}: {verdict(verified)}" for each, verified in found if verified.broken]:
        raise click.ClickException(" ".join(broken))


@command.command()
def script() -> None:
    """Print the script that verifies an export without AgentPane.

    It needs Python 3.9 or newer and nothing else: agentpane audit script > verify.py, then python3 verify.py EXPORT.
    """
    from app.audit import offline_verify

    click.echo(Path(offline_verify.__file__).read_text(), nl=False)


def _expected(typed: str | None) -> tuple[int, str] | None:
    from app.audit.offline_verify import parse_expected

    try:
        return parse_expected(typed) if typed else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expect") from error


def _print(found: "list[tuple[ProjectRow, Verified]]") -> None:
    from app.audit.sentences import verdict

    for project, verified in found:
        if not verified.broken:
            click.echo(f"{_named(project)}: {verdict(verified)}\n  head {verified.number}:{verified.hash}")
    if not found:
        click.echo("There are no projects.")


def _named(project: "ProjectRow") -> str:
    from app.cli.printing import plain

    return plain(project.name)


def _facts(project: "ProjectRow", verified: "Verified") -> dict[str, object]:
    broken = verified.broken
    return {
        "project": project.id,
        "name": project.name,
        "whole": broken is None,
        "entries": verified.entries,
        "emptied": verified.emptied,
        "number": verified.number,
        "hash": verified.hash,
        "broken": {"what": broken.what, "number": broken.number, "sentence": broken.sentence} if broken else None,
    }
