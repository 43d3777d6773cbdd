"""`agentpane serve`: one process that serves the board until it is told to stop."""

import ipaddress
from pathlib import Path

import click

from app.cli import options


@click.command("serve")
@click.option("--host", metavar="ADDRESS", help="The address to serve on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 picks a free one.  [default: 8000]")
@options.data_dir
@click.option("--no-auth", is_flag=True, help="Serve without accounts, to this machine only.")
@click.option("--open", "open_browser", is_flag=True, help="Open the board in a browser once it is ready.")
def command(host: str | None, port: int | None, data_dir: Path | None, no_auth: bool, open_browser: bool) -> None:
    """Serve the board to browsers.

    Starts the embedded PostgreSQL unless DATABASE_URL is set, applies migrations, and prints one line when it
    accepts requests. SIGTERM and Ctrl-C stop it.
    """
    from app.settings import read_settings

    settings = read_settings(host=host, port=port, data_dir=data_dir)
    if not _is_loopback(settings.host):
        raise click.UsageError(
            "AgentPane has no accounts yet, so it serves only this machine: use --host 127.0.0.1 and a tunnel."
        )
    from app.asgi import create_app
    from app.cli.server import run

    run(create_app(settings), settings, open_browser=open_browser)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
