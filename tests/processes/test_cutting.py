"""A text is shortened between two words, if there are any near."""

import pytest

from app.processes.cutting import NEAR, beginning, end


@pytest.mark.parametrize(
    ("text", "longest", "kept"),
    [
        ("one two three", 20, "one two three"),
        ("one two three", 9, "one two "),
        ("one two three", 7, "one two"),
        ("one two three", 8, "one two "),
        ("a" * 20, 10, "a" * 10),
    ],
)
def test_the_beginning_ends_with_a_whole_word(text: str, longest: int, kept: str) -> None:
    assert beginning(text, longest) == kept


@pytest.mark.parametrize(
    ("text", "longest", "kept"),
    [
        ("one two three", 20, "one two three"),
        ("one two three", 7, "three"),
        ("one two three", 5, "three"),
        ("one two three", 9, "two three"),
        ("one two three", 6, " three"),
        ("a" * 20, 10, "a" * 10),
    ],
)
def test_the_end_begins_with_a_whole_word(text: str, longest: int, kept: str) -> None:
    assert end(text, longest) == kept


def test_a_word_without_an_end_is_cut_all_the_same() -> None:
    text = "begin " + "x" * NEAR * 4
    assert len(beginning(text, NEAR * 3)) == NEAR * 3
    assert len(end(text, NEAR * 3)) == NEAR * 3
