"""Which words changed between a removed line and the added line that replaces it."""

import re
import time
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

#: Longer lines, and larger blocks of changed lines, get no word marks: comparing them costs their square.
MAX_LINE = 400
MAX_BLOCK = 60

#: Added lines that are tried as the partner of a removed one.
WINDOW = 5

#: Lines that have less in common than this are two lines, not one that changed.
MIN_RATIO = 0.45

_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Ranges = list[tuple[int, int]]


def changed_words(kinds: Sequence[str], texts: Sequence[str], deadline: float) -> dict[int, Ranges]:
    """For each line that has a partner, by its place: the ranges of characters that differ from it.

    After `deadline` (of `time.monotonic`) the rest stays unmarked.
    """
    marks: dict[int, Ranges] = {}
    for removed, added in _blocks(kinds):
        for old, new in _pairs(removed, added, texts, deadline):
            old_ranges, new_ranges = _differences(texts[old], texts[new])
            marks |= {place: ranges for place, ranges in ((old, old_ranges), (new, new_ranges)) if ranges}
    return marks


def _blocks(kinds: Sequence[str]) -> Iterator[tuple[range, range]]:
    """Runs of removed lines that added lines follow directly."""
    at = 0
    while at < len(kinds):
        start = at
        while at < len(kinds) and kinds[at] == "del":
            at += 1
        middle = at
        while at < len(kinds) and kinds[at] == "add":
            at += 1
        if start < middle < at and at - start <= MAX_BLOCK:
            yield range(start, middle), range(middle, at)
        at = max(at, start + 1)


def _pairs(removed: range, added: range, texts: Sequence[str], deadline: float) -> Iterator[tuple[int, int]]:
    """Lines that are alike, in their order: line by line where as many go as come, else the next that fits."""
    following = added.start
    for old in removed:
        candidates = range(following, min(following + WINDOW, added.stop))
        if len(removed) == len(added):
            candidates = range(added.start + old - removed.start, added.start + old - removed.start + 1)
        for new in candidates:
            if time.monotonic() > deadline:
                return
            if _alike(texts[old], texts[new]):
                yield old, new
                following = new + 1
                break


def _alike(old: str, new: str) -> bool:
    if max(len(old), len(new)) > MAX_LINE:
        return False
    matcher = SequenceMatcher(None, _WORD.findall(old.strip()), _WORD.findall(new.strip()), autojunk=False)
    return matcher.quick_ratio() >= MIN_RATIO and 1 > matcher.ratio() >= MIN_RATIO


def _differences(old: str, new: str) -> tuple[Ranges, Ranges]:
    old_words, new_words = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, old_words, new_words, autojunk=False)
    changed = [block for block in matcher.get_opcodes() if block[0] != "equal"]
    return (
        _joined(old, old_words, [(start, end) for _, start, end, _, _ in changed]),
        _joined(new, new_words, [(start, end) for _, _, _, start, end in changed]),
    )


def _joined(text: str, words: Sequence[str], blocks: Sequence[tuple[int, int]]) -> Ranges:
    """Ranges of words as ranges of characters; those that only blanks part become one."""
    places = [0]
    for word in words:
        places.append(places[-1] + len(word))
    ranges: Ranges = []
    for start, end in ((places[first], places[last]) for first, last in blocks if last > first):
        if ranges and not text[ranges[-1][1] : start].strip():
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
    return ranges
