"""`agentpane db`: the database seen from the command line."""

import json
from pathlib import Path

import click

from app.cli import options


@click.group("db")
def command() -> None:
    """Look after the database: its address, migrations, a check, and a studio."""


@command.command()
@options.data_dir
def url(data_dir: Path | None) -> None:
    """Print the database's address, with its password.

    The embedded database answers there while AgentPane runs.
    """
    from app.cli.session import complete, serving

    async def work() -> None:
        async with serving(data_dir) as address:
            click.echo(address)

    complete(work())


@command.command()
@options.data_dir
def migrate(data_dir: Path | None) -> None:
    """Apply the migrations that are pending, and print them."""
    from app.cli.session import complete, serving
    from app.postgres.migrations import migrate as apply

    async def work() -> list[str]:
        async with serving(data_dir) as address:
            return await apply(address)

    done = complete(work())
    click.echo("\n".join(f"applied {migration_id}" for migration_id in done) or "Nothing to apply.")


@command.command()
@options.data_dir
@options.as_json
def status(data_dir: Path | None, as_json: bool) -> None:
    """List the migrations, applied and pending."""
    from app.cli.session import complete, serving
    from app.postgres.migrations import known, pending

    async def work() -> list[str]:
        async with serving(data_dir) as address:
            return await pending(address)

    waiting = set(complete(work()))
    rows = [{"id": migration_id, "applied": migration_id not in waiting} for migration_id in known()]
    if as_json:
        return click.echo(json.dumps(rows))
    for row in rows:
        click.echo(f"{'applied' if row['applied'] else 'pending'}  {row['id']}")
    if not rows:
        click.echo("There are no migrations.")


@command.command()
@click.argument("description")
def new(description: str) -> None:
    """Write the next migration from the changed tables.

    For developers, in a checkout; read the file before you commit it.
    """
    from app.cli.session import complete
    from app.piccolo_app import APP_CONFIG
    from app.postgres.authoring import write_migration

    path = complete(write_migration(APP_CONFIG, description))
    click.echo(f"wrote {path}" if path else "The tables did not change.")


@command.command()
@options.data_dir
@click.option("--fresh", is_flag=True, help="Check a new database made by the migrations, and the tables in the code.")
@click.option("--write", is_flag=True, help="Make what is found the new expectation.")
def check(data_dir: Path | None, fresh: bool, write: bool) -> None:
    """Print how the database differs from what is expected."""
    from app.cli import checking
    from app.cli.session import complete

    lines = complete(checking.check(data_dir, fresh=fresh, write=write))
    if lines:
        raise click.ClickException("\n".join(lines))
    click.echo("The expectation is written." if write else "The database is as expected.")


@command.command()
@options.data_dir
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0 picks a free one.")
def studio(data_dir: Path | None, port: int) -> None:
    """Browse and edit all tables in a browser.

    On this machine only, after signing in with a password made for this once.

    Needs the extra: pip install 'agentpane[studio]'.
    """
    from app.cli.studio import run

    run(data_dir, port)
