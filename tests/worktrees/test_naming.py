"""What branches and folders of tasks are called."""

import msgspec
import pytest

from app.projects.rows import ProjectRow
from app.worktrees.naming import branch_name, folder_of, slug
from tests.work import queue


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Fix the resolver", "fix-the-resolver"),
        ("  Größe: été / 50 %  ", "groe-ete-50"),
        ("日本語", "task"),
        ("a" * 99, "a" * 48),
        ("../../etc/passwd.lock", "etc-passwd-lock"),
    ],
)
def test_a_title_becomes_plain_words(title: str, words: str) -> None:
    assert slug(title) == words


@pytest.mark.parametrize(
    ("template", "name"),
    [("agent/{id}/{slug}", "agent/ID/fix-it"), ("{slug}-{id}", "fix-it-ID"), ("work/{id}", "work/ID")],
)
async def test_the_branch_follows_the_projects_template(project: ProjectRow, template: str, name: str) -> None:
    task = await queue(project.id, "Fix it")
    project = msgspec.structs.replace(project, config=msgspec.structs.replace(project.config, branch_template=template))
    assert branch_name(project, task) == name.replace("ID", task.id[:6])


async def test_the_folder_lies_in_the_project_or_where_the_setting_says(project: ProjectRow) -> None:
    task = await queue(project.id, "Fix it")
    name = f"{task.id[:6]}-fix-it"
    assert folder_of(project, task) == project.root / ".worktrees" / name
    away = msgspec.structs.replace(project.config, worktree_root="/srv/trees")
    assert str(folder_of(msgspec.structs.replace(project, config=away), task)) == f"/srv/trees/{name}"
