"""The demo deletes only what it made."""

from pathlib import Path

import pytest

from app.demo.folder import is_demo, prepare
from app.errors import Conflict
from tests.databases import served


def test_a_folder_is_made_and_kept(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "new" / "demo", fresh=False)
    assert is_demo(folder)
    (folder / "work").touch()
    assert prepare(folder, fresh=False) == folder
    assert (folder / "work").exists()


def test_fresh_begins_anew(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "demo", fresh=True)
    (folder / "work").touch()
    prepare(folder, fresh=True)
    assert is_demo(folder)
    assert not (folder / "work").exists()


@pytest.mark.parametrize("fresh", [False, True])
def test_what_somebody_else_made_is_refused_and_stays(tmp_path: Path, fresh: bool) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(Conflict, match="the demo did not make"):
        prepare(tmp_path, fresh=fresh)
    assert [path.name for path in tmp_path.iterdir()] == ["postgres"]


def test_a_link_to_a_demo_is_not_the_demo(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "demo", fresh=False)
    link = tmp_path / "link"
    link.symlink_to(folder)
    with pytest.raises(Conflict):
        prepare(link, fresh=True)
    assert is_demo(folder)


async def test_a_demo_that_runs_is_not_deleted(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "demo", fresh=False)
    async with served(folder / "postgres"):
        with pytest.raises(Conflict, match="is running: stop it first"):
            prepare(folder, fresh=True)
        assert is_demo(folder)
