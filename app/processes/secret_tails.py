"""Where a text that comes in pieces may break off in the middle of a secret."""

import re
from string import ascii_lowercase, ascii_uppercase

from app.processes.secret_shapes import BETWEEN_LINES, SHAPES, find_keys

#: Characters at the end of a piece that are held back at most: of a token, and of the block of a private key.
HELD = 4 * 1024
HELD_OF_KEY = 16 * 1024
#: Characters after which no more lines of a key follow what came of it.
_NEXT_LINE = BETWEEN_LINES + 100

_KEY = "-----begin "
_ANCHORS = tuple({anchor for shape in SHAPES for anchor in shape.anchors} | {_KEY})
#: `lower` would make two letters of some.
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)
_BETWEEN_WORDS = re.compile(r"[\s\"'`<>]")
#: A name and the value that follows it, as far as they came.
_ASSIGNMENT = re.compile(
    r"(?:authorization|bearer|passw(?:or)?d|passphrase|secret(?:[_-]?access[_-]?key)?|(?:api|access|private)[_-]?key"
    r"|token)[\"']?\s{0,4}"
    r"(?:[:=]\s{0,4}[\"']?(?:(?:bearer|basic|token|digest|apikey)\s{0,4})?)?[^\s\"']*\Z",
    re.IGNORECASE,
)


def open_from(text: str) -> int:
    """The place from which `text` may be the beginning of something that looks like a secret; its length if none."""
    tail = text[-HELD:]
    small = tail.translate(_SMALL)
    offset = len(text) - len(tail)
    found = [offset + place for place in (_word_from(small), _assignment_from(small), _anchor_from(small))]
    return min(*found, _key_from(text))


def overlap(text: str, secret: str) -> int:
    """How many characters at the end of `text` are the beginning of `secret`."""
    longest = min(len(text), len(secret) - 1)
    tail = text[len(text) - longest :]
    at = tail.find(secret[0])
    while at >= 0 and not secret.startswith(tail[at:]):
        at = tail.find(secret[0], at + 1)
    return longest - at if at >= 0 else 0


def _word_from(tail: str) -> int:
    """The last word, if letters are in it with which a secret begins."""
    begin = _begin_of_word(tail, len(tail))
    return begin if any(anchor in tail[begin:] for anchor in _ANCHORS) else len(tail)


def _assignment_from(tail: str) -> int:
    """The word that names a secret, and all that came after it."""
    found = _ASSIGNMENT.search(tail)
    return _begin_of_word(tail, found.start()) if found else len(tail)


def _begin_of_word(tail: str, at: int) -> int:
    return max((match.end() for match in _BETWEEN_WORDS.finditer(tail, 0, at)), default=0)


def _anchor_from(tail: str) -> int:
    """The word that ends in the first letters of such a beginning, where these do not go on another word."""
    places = [len(tail) - length for length in (overlap(tail, anchor) for anchor in _ANCHORS) if length]
    return min((_begin_of_word(tail, at) for at in places if _begins_word(tail, at)), default=len(tail))


def _begins_word(text: str, at: int) -> bool:
    return at == 0 or not text[at - 1].isalnum() or text[max(0, at - 2) : at] in ("\\n", "\\r", "\\t")


def _key_from(text: str) -> int:
    """The first line of a private key whose last has not come."""
    begin = text.rfind("-----BEGIN ", max(0, len(text) - HELD_OF_KEY))
    if begin < 0:
        return len(text)
    block = text[begin:]
    end = next((end for _, end in find_keys(block)), 0)
    is_closed = block[:end].endswith("-----")
    return len(text) if is_closed or len(block) - end > _NEXT_LINE else begin
