"""Texts against patterns with stars. In time of pattern times text at most, whatever either of them says."""

#: Stands in a text for a part that nobody can know before it runs: `$HOME`, `$(…)`, `*.py`.
ANYTHING = "\0"


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` is `pattern`, in which `*` stands for anything."""
    return could_match(pattern, text.replace(ANYTHING, ""))


def could_match(pattern: str, text: str) -> bool:
    """Whether some text that `text` may turn out to be, with something in place of each `ANYTHING`, is `pattern`."""
    places = _past_stars(pattern, {0})
    for character in text:
        if not places:
            return False
        if character == ANYTHING:
            places = set(range(min(places), len(pattern) + 1))
        else:
            places = _past_stars(pattern, set(_step(pattern, places, character)))
    return len(pattern) in places


def _step(pattern: str, places: set[int], character: str) -> list[int]:
    return [
        place + (pattern[place] != "*")
        for place in places
        if place < len(pattern) and pattern[place] in ("*", character)
    ]


def _past_stars(pattern: str, places: set[int]) -> set[int]:
    """A star may also stand for nothing."""
    reached = set(places)
    for place in places:
        stars = len(pattern) - place - len(pattern[place:].lstrip("*"))
        reached.update(range(place, place + stars + 1))
    return reached
