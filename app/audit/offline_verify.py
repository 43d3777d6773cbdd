#!/usr/bin/env python3
"""Verify the export of an audit chain of AgentPane without AgentPane: python3 verify.py EXPORT.jsonl

It needs Python 3.9 or newer and nothing else. It ends with 0 when everything is as it was written, with 1 when it is
not, and names the first row that is broken. AgentPane itself verifies its database with the same functions.

Each entry of the chain has a number that begins with 1 and has no gaps. Its hash is the SHA-256, in small hexadecimal
figures, over the ASCII text of this JSON list, without blanks and with everything beyond ASCII as \\u escapes:

    ["agentpane-audit-1", project, number, kind, subject, at, actor_kind, actor, SHA-256 of content, previous_hash]

`content` is hashed as the UTF-8 bytes in which it is stored and exported. `at` is as in 2026-11-25T09:41:07.031415Z.
The previous hash of the first entry is 64 zeros. An entry of a tool call holds the SHA-256 of the call's input, that of
its result those of output and error; these stand beside it in the export, as PostgreSQL writes them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

FORMAT = "agentpane-audit-1"
GENESIS = "0" * 64
RESULTS = ("tool_result", "tool_refused")

What = Literal["altered", "removed", "inserted", "reordered", "row altered", "row missing", "cut off", "rewritten"]


@dataclass(frozen=True)
class Entry:
    """One entry of a chain."""

    project: str
    number: int
    kind: str
    subject: str
    at: str
    actor_kind: str
    actor: str
    content: str
    previous_hash: str
    hash: str = ""


@dataclass(frozen=True)
class Broken:
    """The first thing that is not as it was written. `number` is the entry's in the chain, 0 where it has none."""

    what: What
    number: int
    sentence: str
    #: The line of the file.
    line: int = 0


def entry_hash(entry: Entry) -> str:
    """The hash that the entry must have."""
    return sha256(hashed_text(entry))


def hashed_text(entry: Entry) -> str:
    """What the hash is made of."""
    fields = [
        FORMAT, entry.project, entry.number, entry.kind, entry.subject, entry.at, entry.actor_kind, entry.actor,
        sha256(entry.content), entry.previous_hash,
    ]  # fmt: skip
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":"))


def sha256(text: str) -> str:
    """The SHA-256 of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Walk:
    """Follows a chain from its first entry. Where `fits` is false, `broken` says what has been done there."""

    def __init__(self) -> None:
        self.number = 0
        self.hash = GENESIS
        #: The hash before that of the last entry.
        self._before = ""

    def fits(self, entry: Entry) -> bool:
        """Whether `entry` is the next one, as it was written; then it is the last."""
        if entry.number != self.number + 1 or entry.previous_hash != self.hash or entry.hash != entry_hash(entry):
            return False
        self.number, self._before, self.hash = entry.number, self.hash, entry.hash
        return True

    def broken(self, entry: Entry, following: Iterable[Entry]) -> Broken:
        """What is wrong with an entry that does not fit; `following` are all that name the last hash as theirs."""
        number = self.number + 1
        rivals = [each for each in following if each != entry and _was_at(each, number)]
        if self.number and entry.previous_hash == self._before and _was_at(entry, self.number, number):
            return named("inserted", self.number)
        if entry.number < number:
            return named("inserted", entry.number)
        if rivals:
            near = range(max(1, number - _FAR), number + _FAR)
            is_moved = _was_at(entry, entry.number, *(each.number for each in rivals), *near)
            return named("reordered" if is_moved else "inserted", number)
        if entry.number > number or _was_at(entry, *range(number + 1, number + _FAR)):
            return named("removed", number)
        if self.number and entry.previous_hash != self.hash and _was_at(entry, number):
            # Its own hash is right, and it follows another entry than the one that stands there.
            return named("altered", self.number)
        return named("altered", number)


#: How far from its place an entry is looked for by its hash.
_FAR = 200


def _was_at(entry: Entry, *numbers: int) -> bool:
    """Whether the entry was written with one of these numbers."""
    return any(entry.hash == entry_hash(replace(entry, number=number)) for number in numbers)


_SENTENCES: dict[str, str] = {
    "altered": "Entry {} is not as it was written.",
    "removed": "Entry {} is missing: somebody removed it.",
    "inserted": "Entry {} was put in later: the entry after it follows another one.",
    "reordered": "Entry {} stands at another place than where it was written.",
    "cut off": "The chain ends before entry {}: what came last was removed.",
    "rewritten": "Entry {} is not the one that was noted: the chain was written anew.",
}


def named(what: What, number: int) -> Broken:
    """What is broken, as a sentence."""
    return Broken(what, number, _SENTENCES[what].format(f"{number:,}"))


# A tool call is a row outside of the chain, of which the chain knows the digests.


def content_of(text: str) -> dict[str, Any]:
    """What an entry says; nothing, where somebody has made something else of it than a JSON object."""
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def call_differs(content: dict[str, Any], row: dict[str, Any]) -> str:
    """What of a call's row is not as the entry of its beginning says; empty when all is. Digests in both."""
    names = [name for name in ("agent", "run", "tool", "turn", "at", "input") if row.get(name) != content.get(name)]
    return _listed(names)


def result_differs(content: dict[str, Any], row: dict[str, Any]) -> str:
    """The same for the entry of its end."""
    names = [name for name in ("status", "output", "error", "duration") if row.get(name) != content.get(name)]
    return _listed(names)


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def row_altered(number: int, differs: str) -> Broken:
    """The row of an entry is not as it was written."""
    verb = "are" if " and " in differs else "is"
    return Broken(
        "row altered", number, f"The tool call of entry {number:,} was altered: its {differs} {verb} another."
    )


def row_missing(number: int) -> Broken:
    """The row of an entry is gone."""
    return Broken("row missing", number, f"The tool call of entry {number:,} is missing.")


def not_as_noted(noted: dict[int, str], last: int, found: dict[int, str]) -> Broken | None:
    """Whether the chain goes as far as somebody noted, and has the hashes there that were noted."""
    for number, hash in sorted(noted.items()):
        if number > last:
            return named("cut off", last + 1)
        if not found[number].startswith(hash):
            return named("rewritten", number)
    return None


# An export: a first line about itself, then a line for each entry, with its tool call's row where it has one.


class NoExport(Exception):
    """The file is no export."""


class BadLine(Exception):
    """A line of an export that is none."""


@dataclass
class Verdict:
    """What was found in a file. An export that was filtered is not whole: of it each entry is looked at alone."""

    is_whole: bool
    entries: int = 0
    #: Entries whose row was emptied after the time that the project keeps them.
    emptied: int = 0
    #: The last entry.
    number: int = 0
    hash: str = GENESIS
    broken: Broken | None = None


def verify_file(path: Path, expected: tuple[int, str] | None = None) -> Verdict:
    """Read the file, and once more to name what is broken. `expected` is a number and the hash that was noted there."""
    head = _head(path)
    verdict = Verdict(is_whole=not head["filter"])
    noted = {head["number"]: head["hash"]} if verdict.is_whole else {}
    noted |= {expected[0]: expected[1]} if expected else {}
    found = {0: GENESIS}
    limit = max((emptied_before(entry) for _, entry, _ in _lines(path) if entry.kind == "retention"), default="")
    walk = Walk()
    for line, entry, row in _lines(path):
        broken = _broken_entry(path, verdict, walk, entry) or _broken_row(entry, row, limit, verdict)
        if verdict.is_whole and broken is None and entry.number > head["number"]:
            broken = named("inserted", entry.number)
        if broken:
            verdict.broken = replace(broken, line=line)
            return verdict
        verdict.entries, verdict.number, verdict.hash = verdict.entries + 1, entry.number, entry.hash
        if entry.number in noted:
            found[entry.number] = entry.hash
    verdict.broken = not_as_noted(noted, verdict.number, found)
    return verdict


def _broken_entry(path: Path, verdict: Verdict, walk: Walk, entry: Entry) -> Broken | None:
    if verdict.is_whole:
        if walk.fits(entry):
            return None
        return walk.broken(entry, [each for _, each, _ in _lines(path) if each.previous_hash == walk.hash])
    if entry.number <= verdict.number:
        return named("reordered", entry.number)
    return None if entry.hash == entry_hash(entry) else named("altered", entry.number)


def _broken_row(entry: Entry, row: dict[str, Any] | None, limit: str, verdict: Verdict) -> Broken | None:
    if entry.kind != "tool_call" and entry.kind not in RESULTS:
        return None
    if row is None:
        return row_missing(entry.number)
    content = content_of(entry.content)
    texts = [name for name in ("input", "output", "error") if name in row]
    is_empty = row.get("emptied") and all(row[name] in (None, "null") for name in texts)
    if is_empty and str(row.get("at")) < limit:
        verdict.emptied += 1
        row = {**row, **{name: content.get(name) for name in texts}}
    else:
        row = {**row, **{name: None if row[name] is None else sha256(row[name]) for name in texts}}
    differs = call_differs(content, row) if entry.kind == "tool_call" else result_differs(content, row)
    return row_altered(entry.number, differs) if differs else None


def emptied_before(entry: Entry) -> str:
    """Until when calls were emptied, as an entry of that kind says."""
    return str(content_of(entry.content).get("before", ""))


def _head(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            head = _json(file.readline(), 1)
    except BadLine as error:
        raise NoExport(str(error)) from error
    if head.get("format") != FORMAT or not {"number", "hash", "filter"} <= head.keys():
        raise NoExport("it does not begin as an export of an audit chain does.")
    return head


def _lines(path: Path) -> Iterator[tuple[int, Entry, dict[str, Any] | None]]:
    with path.open(encoding="utf-8") as file:
        project = str(_json(file.readline(), 1).get("project"))
        for line, text in enumerate(file, 2):
            value = _json(text, line)
            row = value.pop("row", None)
            if {name: type(each) for name, each in value.items()} != _FIELDS or not isinstance(row, (dict, type(None))):
                raise BadLine(f"Line {line} is no entry of a chain.")
            yield line, Entry(project=project, **value), row


_FIELDS = dict.fromkeys((field.name for field in fields(Entry) if field.name != "project"), str) | {"number": int}


def _json(text: str, line: int) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadLine(f"Line {line} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadLine(f"Line {line} is no JSON object.")
    return value


def parse_expected(text: str) -> tuple[int, str]:
    """`NUMBER:HASH` as it was shown; the beginning of the hash, of 8 figures or more, is enough. Raises ValueError."""
    number, _, hash = text.partition(":")
    if not number.isdigit() or not 8 <= len(hash) <= 64 or set(hash) - set("0123456789abcdef"):
        raise ValueError("Write what is expected as NUMBER:HASH, as it was shown.")
    return int(number), hash


def main(arguments: list[str]) -> int:
    """The command line: 0 as it was written, 1 broken, 2 nothing that could be verified."""
    parser = argparse.ArgumentParser(description="Verify the export of an audit chain of AgentPane.")
    parser.add_argument("export", type=Path, help="the file that was exported as JSON lines")
    parser.add_argument("--expect", metavar="NUMBER:HASH", help="a head of the chain that somebody noted")
    options = parser.parse_args(arguments)
    try:
        verdict = verify_file(options.export, parse_expected(options.expect) if options.expect else None)
    except (NoExport, ValueError, OSError) as error:
        print(f"{options.export} cannot be verified: {error}", file=sys.stderr)
        return 2
    except BadLine as error:
        print(f"BROKEN: {error}")
        return 1
    print(*_report(verdict), sep="\n")
    return 1 if verdict.broken else 0


def _report(verdict: Verdict) -> Iterator[str]:
    if verdict.broken:
        yield f"BROKEN: {verdict.broken.sentence}" + (f" (line {verdict.broken.line})" if verdict.broken.line else "")
        return
    words = "The chain is whole" if verdict.is_whole else "Each entry is as it was written"
    yield f"{words}: {verdict.entries:,} entries."
    if verdict.emptied:
        yield f"The calls of {verdict.emptied:,} of them were emptied after the time that the project keeps them."
    if not verdict.is_whole:
        yield "The export was filtered: an entry that is missing would not be noticed."
    yield f"Last entry: {verdict.number}:{verdict.hash}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
