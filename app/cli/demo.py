"""`agentpane demo`: the board with a sample project and a scripted agent, in a data folder of its own."""

from pathlib import Path

import click

from app.cli import options


@click.command("demo")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 picks a free one.  [default: 8000]")
@options.data_dir
@click.option("--fresh", is_flag=True, help="Delete what an earlier demo left, and begin anew.")
@click.option("--pace", type=click.FloatRange(0, 10), default=1.0, help="How slowly the script works; 0 never waits.")
@click.option("--open", "open_browser", is_flag=True, help="Open the board in a browser once it is ready.")
def command(port: int | None, data_dir: Path | None, fresh: bool, pace: float, open_browser: bool) -> None:
    """Serve a sample project with a scripted agent, to see how it works without a key.

    Its data lie in a folder of their own beside the usual one, or in DIR; another demo goes on with them.
    """
    import msgspec

    from app.asgi import create_app
    from app.cli.acting import actor
    from app.cli.server import run
    from app.demo.folder import prepare
    from app.demo.sample import NAME
    from app.demo.seeding import seed
    from app.settings import read_settings

    usual = read_settings().data_dir
    settings = read_settings(host="127.0.0.1", port=port, data_dir=data_dir or usual.with_name(f"{usual.name}-demo"))
    settings = msgspec.structs.replace(settings, database_url="")
    folder = prepare(settings.data_dir, fresh=fresh)
    click.echo(f"The demo's data are in {folder}; 'agentpane demo --fresh' begins anew.", err=True)

    async def fill() -> None:
        await seed(folder / NAME, actor(), pace)

    app = create_app(settings)
    app.on_startup.append(fill)
    run(app, settings, open_browser=open_browser)
