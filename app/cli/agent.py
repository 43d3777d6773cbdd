"""`agentpane agent`: the workers of a project."""

from pathlib import Path

import click

from app.cli import options


@click.group("agent")
def command() -> None:
    """Add agents to a project, and list them."""


@command.command()
@click.argument("project")
@click.argument("name")
@click.option("--type", type=click.Choice(["task", "conversational", "background"]), help="What it does.  [task]")
@click.option("--runner", type=click.Choice(["claude", "acp", "command"]), help="The program behind it.  [claude]")
@click.option("--command", "command", metavar="LINE", help="For 'acp' and 'command': program and arguments, quoted.")
@click.option("--model", help="The model it asks for; else the project's.")
@click.option("--max-turns", type=int, help="Turns after which a run ends.  [50]")
@click.option("--allowed-tool", "allowed_tools", multiple=True, metavar="TOOL", help="May be given several times.")
@click.option("--system-prompt", metavar="TEXT", help="Added to what the agent is told.")
@click.option("--temperature", type=float, help="From 0 to 1.")
@options.data_dir
def add(project: str, name: str, data_dir: Path | None, **typed: object) -> None:
    """Add an agent called NAME to PROJECT (a name or an id)."""
    from app.agents.creating import create_agent
    from app.agents.forms import AgentForm
    from app.agents.rows import AgentRow
    from app.cli.acting import actor, filled
    from app.cli.finding import find_project
    from app.cli.session import complete, connected

    form = filled(AgentForm, name=name, **typed)

    async def work() -> AgentRow:
        async with connected(data_dir):
            return await create_agent((await find_project(project)).id, form, actor())

    agent = complete(work())
    click.echo(f"Added {agent.id}: {agent.name}, {agent.config.runner}")


@command.command("list")
@click.argument("project", required=False)
@options.data_dir
@options.as_json
def list_(project: str | None, data_dir: Path | None, as_json: bool) -> None:
    """List the agents of PROJECT, or of all projects."""
    from app.agents.rows import AgentRow, agents_of
    from app.cli.finding import chosen_projects
    from app.cli.printing import print_json, print_table, short
    from app.cli.session import complete, connected
    from app.projects.rows import ProjectRow

    async def work() -> list[tuple[ProjectRow, AgentRow]]:
        async with connected(data_dir):
            chosen = await chosen_projects(project)
            return [(each, agent) for each in chosen for agent in await agents_of(each.id)]

    found = complete(work())
    if as_json:
        return print_json([agent for _, agent in found])
    lines = [
        (short(agent.id), agent.name, agent.status, agent.config.runner, short(agent.current_task_id or ""), each.name)
        for each, agent in found
    ]
    print_table(("ID", "NAME", "STATUS", "RUNNER", "TASK", "PROJECT"), lines, "There are no agents.")
