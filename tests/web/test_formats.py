"""Numbers and times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from app.web import formats

NOW = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (999, "999"), (1_050, "1.1 k"), (205_412, "205 k"), (999_600, "1.0 M"), (17_300_000, "17.3 M")],
)
def test_short_numbers(value: int, words: str) -> None:
    assert formats.short_number(value) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(None, "—"), (0, "0.0 s"), (340, "0.3 s"), (12_200, "12.2 s"), (134_000, "2:14"), (3_731_000, "1:02:11")],
)
def test_durations(milliseconds: int | None, words: str) -> None:
    assert formats.took(milliseconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 KB"),
        (2_104, "2.1 KB"),
        (999_900, "1.0 MB"),
        (14_000_000, "14 MB"),
        (3e12, "3000 GB"),
    ],
)
def test_sizes(count: int, words: str) -> None:
    assert formats.size(int(count)) == words


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(days=6), "6 d"),
        (timedelta(days=10), "4 Mar"),
        (timedelta(days=400), "7 Feb 2025"),
    ],
)
def test_how_long_ago(gone: timedelta, words: str) -> None:
    assert formats.ago(NOW - gone, NOW) == words


def test_small_words() -> None:
    assert [formats.ordinal(place) for place in (1, 2, 3, 4, 11, 21, 112)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "21st",
        "112th",
    ]
    assert [formats.plural(count, "file") for count in (0, 1, 1_200)] == ["0 files", "1 file", "1,200 files"]
    assert [formats.times(count) for count in (1, 2, 3)] == ["once", "twice", "3 times"]
    assert [formats.initials(name) for name in ("Mara Lindqvist", "opus-1", "", "jun")] == ["ML", "o1", "?", "j"]
    assert formats.tint("Mara") == formats.tint("Mara")
