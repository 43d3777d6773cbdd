"""Texts against patterns with stars. It takes time of pattern times text at most, whatever either of them says."""

#: Stands in a text for a part that nobody can know before it runs: `$HOME`, `$(…)`, `*.py`. The other one stands for a
#: part of one word, which has no blanks in it: `"$HOME"`.
ANYTHING = "\0"
ANY_WORD = "\1"


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` is `pattern`, in which `*` stands for anything."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *inner, last = others
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in inner:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def could_match(pattern: str, text: str) -> bool:
    """Whether some text that `text` may turn out to be, with something in place of what is not known, is `pattern`."""
    if ANYTHING not in text and ANY_WORD not in text:
        return matches(pattern, text)
    places = _past_stars(pattern, {0})
    for character in text:
        if not places:
            return False
        if character == ANYTHING:
            places = set(range(min(places), len(pattern) + 1))
        elif character == ANY_WORD:
            places = _past_word(pattern, places)
        else:
            places = _past_stars(pattern, set(_step(pattern, places, character)))
    return len(pattern) in places


def _step(pattern: str, places: set[int], character: str) -> list[int]:
    return [
        place + (pattern[place] != "*")
        for place in places
        if place < len(pattern) and pattern[place] in ("*", character)
    ]


def _past_word(pattern: str, places: set[int]) -> set[int]:
    reached: set[int] = set()
    for place in places:
        end = pattern.find(" ", place)
        reached.update(range(place, (len(pattern) if end < 0 else end) + 1))
    return reached


def _past_stars(pattern: str, places: set[int]) -> set[int]:
    """A star may also stand for nothing."""
    reached = set(places)
    for place in places:
        stars = len(pattern) - place - len(pattern[place:].lstrip("*"))
        reached.update(range(place, place + stars + 1))
    return reached
