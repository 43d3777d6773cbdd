"""`agentpane project`: the repositories on the board."""

from pathlib import Path

import click

from app.cli import options


@click.group("project")
def command() -> None:
    """Add repositories to the board, and list them."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="What the board calls it; else the name of its folder.")
@options.data_dir
def add(path: Path, name: str | None, data_dir: Path | None) -> None:
    """Put the git repository at PATH on the board."""
    from app.cli.acting import actor, filled
    from app.cli.session import complete, connected
    from app.projects.creating import create_project
    from app.projects.forms import NewProject
    from app.projects.rows import ProjectRow

    form = filled(NewProject, path=path.absolute(), name=name)

    async def work() -> ProjectRow:
        async with connected(data_dir):
            return await create_project(form, actor())

    project = complete(work())
    click.echo(f"Added {project.id}: {project.name}, {project.path}, branch {project.config.default_branch}")


@command.command("list")
@options.data_dir
@options.as_json
def list_(data_dir: Path | None, as_json: bool) -> None:
    """List the projects by name."""
    from app.cli.printing import print_json, print_table, short
    from app.cli.session import complete, connected
    from app.projects.rows import ProjectRow, all_projects

    async def work() -> list[ProjectRow]:
        async with connected(data_dir):
            return await all_projects()

    projects = complete(work())
    if as_json:
        return print_json(projects)
    lines = [(short(each.id), each.name, each.config.default_branch, each.path) for each in projects]
    print_table(("ID", "NAME", "BRANCH", "PATH"), lines, "There are no projects.")
