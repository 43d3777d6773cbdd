"""Verify a project's chain against itself, against the rows of its tool calls, and against the heads that were noted.

It is read in pages, and digests are made by the database, so memory stays flat. What is broken first is named. Calls
that are being recorded meanwhile do no harm: only entries up to the head of the beginning are followed.
"""

from collections.abc import Callable

from msgspec import Struct

from app.audit.chain import head_of
from app.audit.digests import CallRow, call_rows
from app.audit.noted import call_without_entry, entry_that_nothing_tells_of, entry_unlike_noted, hash_at
from app.audit.offline_verify import (
    GENESIS,
    RESULTS,
    Broken,
    Entry,
    Walk,
    call_differs,
    content_of,
    emptied_before,
    not_as_noted,
    result_differs,
    row_altered,
    row_missing,
)
from app.audit.reading import entries_following, entries_of_kind, pages


class Verified(Struct, frozen=True, kw_only=True):
    """What was found. Without `broken`, all is as it was written, up to `number` and `hash`, the chain's head."""

    entries: int
    number: int
    hash: str
    #: Entries whose row was emptied after the time that the project keeps them, so that only the row is left.
    emptied: int
    broken: Broken | None = None


async def verify(
    project_id: str, expected: tuple[int, str] | None = None, tell: Callable[[int, int], None] | None = None
) -> Verified:
    """Follow the chain to its head. `expected` is a number and the hash, or its beginning, that was noted there; `tell`
    hears how many entries of how many are verified."""
    return await _Verification(project_id, tell).run(expected)


class _Verification:
    def __init__(self, project_id: str, tell: Callable[[int, int], None] | None) -> None:
        self._project_id = project_id
        self._tell = tell
        self._walk = Walk()
        self._entries = 0
        self._emptied = 0
        #: Calls that are older were emptied, as the chain says.
        self._limit = ""

    async def run(self, expected: tuple[int, str] | None) -> Verified:
        broken = await self._follow() or await self._compare_with_the_rest(expected)
        return Verified(
            entries=self._entries,
            number=self._walk.number,
            hash=self._walk.hash,
            emptied=self._emptied,
            broken=broken,
        )

    async def _follow(self) -> Broken | None:
        until = (await head_of(self._project_id)).number
        async for page in pages(self._project_id, until):
            calls = await call_rows(self._project_id, [entry.subject for entry in page])
            for entry in page:
                if broken := await self._broken(entry, calls.get(entry.subject)):
                    return broken
                self._entries += 1
            if self._tell:
                self._tell(self._entries, until)
        return None

    async def _broken(self, entry: Entry, call: CallRow | None) -> Broken | None:
        if not self._walk.fits(entry):
            return self._walk.broken(entry, await entries_following(self._project_id, self._walk.hash))
        if entry.kind != "tool_call" and entry.kind not in RESULTS:
            return None
        if call is None:
            return row_missing(entry.number)
        content, row = content_of(entry.content), call.as_row()
        if call.emptied and await self._may_be_empty(call):
            self._emptied += 1
            row |= {name: content.get(name) for name in ("input", "output", "error")}
        differs = call_differs(content, row) if entry.kind == "tool_call" else result_differs(content, row)
        return row_altered(entry.number, differs) if differs else None

    async def _may_be_empty(self, call: CallRow) -> bool:
        """Asked again, since old calls may have been emptied while we read."""
        if call.moment >= self._limit:
            retentions = await entries_of_kind(self._project_id, "retention")
            self._limit = max(map(emptied_before, retentions), default="")
        return call.moment < self._limit

    async def _compare_with_the_rest(self, expected: tuple[int, str] | None) -> Broken | None:
        last = self._walk.number
        if expected:
            number, hash = expected
            found = {0: GENESIS, number: await hash_at(self._project_id, number)}
            if broken := not_as_noted({number: hash}, last, found):
                return broken
        return (
            await entry_unlike_noted(self._project_id, last)
            or await call_without_entry(self._project_id, last)
            or await entry_that_nothing_tells_of(self._project_id, last)
        )
