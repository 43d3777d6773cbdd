"""A measurement's table, and its place in the document."""

import pytest

from bench.__main__ import MEASUREMENTS
from bench.harness import percentile, ratio
from bench.report import DOCUMENT, Line, renewed, table


def test_a_table_has_a_row_for_each_line() -> None:
    rows = table([Line("a page", "3.1 ms", "1.0 ms", 3.1, "≤ 3"), Line("alone", "7 ms")]).splitlines()
    assert rows[2:] == ["| a page | 3.1 ms | 1.0 ms | 3.10 | ≤ 3 |", "| alone | 7 ms |  |  |  |"]


def test_only_the_own_section_is_renewed() -> None:
    document = (
        "a\n<!-- bench:move -->\nold\n<!-- /bench:move -->\nb\n<!-- bench:start -->\nkept\n<!-- /bench:start -->\n"
    )
    assert renewed(document, "move", r"new \1") == document.replace("old", r"new \1")


def test_a_section_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="no section move"):
        renewed("nothing", "move", "new")


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_measurement_has_its_table_in_the_document(name: str) -> None:
    section = DOCUMENT.read_text().partition(f"<!-- bench:{name} -->")[2].partition(f"<!-- /bench:{name} -->")[0]
    assert "| what | ours |" in section
    assert "alternating rounds" in section


def test_a_ratio_is_the_middle_one_of_the_rounds() -> None:
    assert ratio([2, 9, 4], [1, 1, 1]) == 4
    assert (percentile([3, 1, 2], 0.5), percentile([3, 1, 2], 0.99)) == (2, 3)
