"""Browsers that look at a board and at its sessions, come back after each loss of the line, and keep all they got."""

import asyncio
from contextlib import suppress

import httpx

from tests.invariants import Heard
from tests.invariants.hearing import Sent


class Line:
    """One stream of one page, followed through every restart by the number of its last event."""

    def __init__(self, path: str, sent: list[Sent]) -> None:
        self._path = path
        self._sent = sent

    async def follow(self, http: httpx.AsyncClient) -> None:
        """Read until the server ends the stream, or is gone."""
        headers = {"last-event-id": str(self._sent[-1].number)} if self._sent else {}
        with suppress(httpx.TransportError):
            async with http.stream("GET", self._path, headers=headers) as reply:
                await self._read(reply)

    async def _read(self, reply: httpx.Response) -> None:
        if reply.status_code == 503:
            return
        assert reply.status_code == 200, f"{self._path}: {reply.status_code}"
        frame: dict[str, str] = {}
        async for line in reply.aiter_lines():
            name, _, value = line.partition(": ")
            if line:
                frame[name] = frame.get(name, "") + value
                continue
            if "id" in frame:
                # Only what is written for good is put at the end of the record.
                is_piece = frame["event"] == "message" and 'hx-target="#events"' not in frame.get("data", "")
                self._sent.append(Sent(int(frame["id"]), frame["event"], is_piece))
            frame = {}


class Audience:
    """Everybody who watches: one line to the board, one to each of its newest sessions."""

    #: Sessions that are watched at once.
    SEATS = 6

    def __init__(self, project: str, heard: Heard) -> None:
        self.heard = heard
        self.board = Line(f"/projects/{project}/events", heard.boards.setdefault(project, []))
        self.sessions: dict[str, Line] = {}

    def watch(self, session: str) -> None:
        """Open the page of a session that nobody has seen; the oldest page is closed when there is no seat."""
        if session in self.heard.sessions:
            return
        if len(self.sessions) == self.SEATS:
            self.sessions.pop(next(iter(self.sessions)))
        self.sessions[session] = Line(f"/sessions/{session}/events", self.heard.sessions.setdefault(session, []))

    async def follow(self, http: httpx.AsyncClient) -> None:
        """Keep every line open until cancelled."""
        lines: dict[Line, asyncio.Task[None]] = {}
        try:
            while True:
                wanted = {self.board, *self.sessions.values()}
                for line in wanted - lines.keys():
                    lines[line] = asyncio.create_task(line.follow(http))
                await asyncio.sleep(0.05)
                for line in [line for line, task in lines.items() if task.done() or line not in wanted]:
                    task = lines.pop(line)
                    task.cancel()
                    await _ended(task)
        finally:
            for task in lines.values():
                task.cancel()
                await _ended(task)


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait for its end without taking a cancellation of our own for it."""
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
