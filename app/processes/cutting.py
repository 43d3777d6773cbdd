"""Shorten a text between two words: the first half of a secret is a secret that nobody would recognise."""

#: Characters within which a blank is looked for; without one the text is cut where it must be.
NEAR = 512


def beginning(text: str, longest: int) -> str:
    """At most `longest` characters from the start of `text`."""
    if len(text) <= longest:
        return text
    kept = text[:longest]
    if text[longest].isspace():
        return kept
    return kept[: len(kept) - len(_last_word(kept[-NEAR:]))]


def end(text: str, longest: int) -> str:
    """At most `longest` characters from the end of `text`."""
    if len(text) <= longest:
        return text
    kept = text[-longest:]
    if text[-longest - 1].isspace():
        return kept
    first = kept[:NEAR].split(maxsplit=1)
    begins = kept.index(first[1]) if len(first) == 2 and not kept[0].isspace() else 0
    return kept[begins:]


def _last_word(text: str) -> str:
    """The characters after the last blank; none when there is no blank."""
    if text[-1:].isspace():
        return ""
    words = text.rsplit(maxsplit=1)
    return words[1] if len(words) == 2 else ""
