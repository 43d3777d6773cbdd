"""How much room worktrees take, without following what leads out of them."""

import os
import threading
from pathlib import Path

import pytest

from app.postgres.reading import execute, scalar
from app.projects.rows import ProjectRow
from app.worktrees.measuring import Size, disk_size, measure_next
from app.worktrees.rows import get_worktree
from tests.work import begin

MEGABYTE = 1_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a megabyte in it."""
    (tmp_path / "here" / "deep").mkdir(parents=True)
    (tmp_path / "here" / "deep" / "file").write_bytes(os.urandom(MEGABYTE))
    return tmp_path / "here"


def test_files_of_all_folders_are_counted(folder: Path) -> None:
    assert MEGABYTE <= disk_size(folder).count < 1.1 * MEGABYTE


def test_links_are_not_followed_and_a_file_of_two_names_counts_once(folder: Path, tmp_path: Path) -> None:
    before = disk_size(folder).count
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "large").write_bytes(os.urandom(MEGABYTE))
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "loop").symlink_to(folder)
    (folder / "again").hardlink_to(folder / "deep" / "file")
    assert disk_size(folder).count < before + MEGABYTE / 10


def test_measuring_ends_at_its_bounds_and_says_so(folder: Path) -> None:
    over = threading.Event()
    over.set()
    assert disk_size(folder, most_entries=1).is_larger
    assert disk_size(folder, most_s=-1).is_larger
    assert disk_size(folder, over).is_larger


def test_a_folder_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    assert disk_size(tmp_path / "gone") == Size(0)


async def test_each_worktree_is_measured_in_its_turn_and_kept(project: ProjectRow) -> None:
    one, two = (await begin(project.id, "One")).worktree_id, (await begin(project.id, "Two")).worktree_id
    (Path((await get_worktree(one)).path) / "large").write_bytes(os.urandom(MEGABYTE))
    await execute("DELETE FROM worktree_details WHERE worktree_id = $1", two)
    assert {await measure_next(), await measure_next()} == {one, two}
    assert await measure_next() is None
    assert await scalar("SELECT size FROM worktree_details WHERE worktree_id = $1", one) >= MEGABYTE
    await execute(
        "UPDATE worktree_details SET measured_at = now() - interval '1 hour', size = 1 WHERE worktree_id = $1", one
    )
    assert await measure_next() == one
    assert await scalar("SELECT size FROM worktree_details WHERE worktree_id = $1", one) >= MEGABYTE
