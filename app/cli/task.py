"""`agentpane task`: the cards. A start is written here and heard by the server that runs agents."""

from pathlib import Path

import click

from app.cli import options


@click.group("task")
def command() -> None:
    """Add tasks, start them, and decide on the work.

    PROJECT is a name or an id, TASK an id; of an id its first 6 characters or more will do.
    """


@command.command()
@click.argument("project")
@click.argument("title")
@click.option("--description", metavar="TEXT", help="What the agent is told beside the title.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="May be given several times.")
@click.option("--start", "start", is_flag=True, help="Queue it for an agent at once.")
@options.data_dir
def add(project: str, title: str, start: bool, data_dir: Path | None, **typed: object) -> None:
    """Add a card to the Backlog of PROJECT."""
    from app.cli.acting import actor, filled, say_when_it_begins
    from app.cli.finding import find_project
    from app.cli.session import complete, connected
    from app.tasks.creating import create_task
    from app.tasks.forms import NewTask

    form = filled(NewTask, title=title, start=start, **typed)

    async def work() -> None:
        async with connected(data_dir):
            task = await create_task((await find_project(project)).id, form, actor())
            click.echo(f"{'Queued' if start else 'Added'} {task.id}: {task.title}")
            if start:
                await say_when_it_begins()

    complete(work())


@command.command("list")
@click.argument("project", required=False)
@options.data_dir
@options.as_json
def list_(project: str | None, data_dir: Path | None, as_json: bool) -> None:
    """List the tasks of PROJECT, or of all projects, in board order."""
    from app.cli.finding import chosen_projects
    from app.cli.printing import print_json
    from app.cli.session import complete, connected
    from app.cli.task_texts import listed, print_tasks

    async def work() -> None:
        async with connected(data_dir):
            found = [line for each in await chosen_projects(project) for line in await listed(each)]
            print_json([line.document() for line in found]) if as_json else print_tasks(found)

    complete(work())


@command.command()
@click.argument("task")
@options.data_dir
@options.as_json
def show(task: str, data_dir: Path | None, as_json: bool) -> None:
    """Print everything about TASK, with the digest that an approval is bound to."""
    from app.cli.finding import find_task
    from app.cli.printing import print_json
    from app.cli.session import complete, connected
    from app.cli.task_texts import print_task, whole

    async def work() -> None:
        async with connected(data_dir):
            found = await whole(await find_task(task))
            print_json(found.document()) if as_json else print_task(found)

    complete(work())


@command.command()
@click.argument("task")
@options.data_dir
def start(task: str, data_dir: Path | None) -> None:
    """Queue TASK: it begins when a slot and an agent are free."""
    from app.cli.acting import actor, say_when_it_begins
    from app.cli.finding import find_task
    from app.cli.session import complete, connected
    from app.tasks.starting import start as queue

    async def work() -> None:
        async with connected(data_dir):
            queued = await queue((await find_task(task)).id, actor=actor())
            click.echo(f"Queued {queued.id}: {queued.title}")
            await say_when_it_begins()

    complete(work())


@command.command()
@click.argument("task")
@click.option("--method", "merge_method", type=click.Choice(["merge", "squash", "rebase"]), help="How.  [merge]")
@click.option("--message", metavar="TEXT", help="The commit message; else the title.")
@click.option("--keep-branch", is_flag=True, help="Keep the task's branch after the merge.")
@click.option("--without-merge", "accept_without_merge", is_flag=True, help="Accept the work, and merge nothing.")
@click.option("--despite-checks", is_flag=True, help="Merge although a check fails or a conflict is left.")
@click.option("--digest", metavar="D", help="Approve only the change with this digest, as 'task show' prints it.")
@options.data_dir
def approve(task: str, digest: str | None, data_dir: Path | None, **typed: object) -> None:
    """Print the change that TASK brings now, and merge exactly that."""
    from app.cli.acting import actor, filled
    from app.cli.finding import find_task
    from app.cli.session import complete, connected
    from app.cli.task_texts import print_change, verdict
    from app.reviews.approving import approve as merge
    from app.reviews.checking import check_before
    from app.reviews.comparing import compare
    from app.reviews.forms import Approval
    from app.settings import read_settings
    from app.tasks import states

    async def work() -> None:
        async with connected(data_dir):
            found = await find_task(task)
            states.after(found.column, "approve")
            comparison = await compare(found)
            print_change(comparison)
            form = filled(Approval, digest=digest or comparison.digest, **typed)
            if not (form.accept_without_merge or form.despite_checks):
                settings = read_settings(data_dir=data_dir)
                await check_before(found.id, form.digest, actor(), settings.agent_environment, settings)
            click.echo(await verdict(await merge(found.id, form, actor())))

    complete(work())


@command.command()
@click.argument("task")
@click.argument("reason")
@options.data_dir
def reject(task: str, reason: str, data_dir: Path | None) -> None:
    """Send the work of TASK back: its agent goes on with REASON."""
    from app.cli.acting import actor, filled, say_when_it_begins
    from app.cli.finding import find_task
    from app.cli.session import complete, connected
    from app.reviews.forms import Rejection
    from app.reviews.rejecting import reject as send_back

    form = filled(Rejection, reason=reason)

    async def work() -> None:
        async with connected(data_dir):
            again = await send_back((await find_task(task)).id, form.reason, actor())
            click.echo(f"Queued {again.id} again: {again.title}")
            await say_when_it_begins()

    complete(work())


@command.command()
@click.argument("task")
@options.data_dir
def cancel(task: str, data_dir: Path | None) -> None:
    """Stop the agent of TASK and put the card back into Backlog; its branch keeps the work."""
    from app.cli.acting import actor
    from app.cli.finding import find_task
    from app.cli.session import complete, connected
    from app.runs.cancelling import cancel as put_back

    async def work() -> None:
        async with connected(data_dir):
            found = await find_task(task)
            await _require_a_driver(found.id)
            back = await put_back(found.id, actor=actor())
            branch = f" The work is on {back.branch}." if back.branch else ""
            click.echo(f"Cancelled {back.id}: {back.title}.{branch}")

    complete(work())


async def _require_a_driver(task_id: str) -> None:
    """A run is ended by the process that drives it, which writes its end."""
    from app.postgres.listening import somebody_listens
    from app.runs.rows import live_run_of_task

    if await live_run_of_task(task_id) is not None and not await somebody_listens():
        raise click.ClickException(
            "The run of this task was cut off with its server: start AgentPane, which ends it, then cancel."
        )
