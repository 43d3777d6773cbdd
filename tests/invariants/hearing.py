"""What browsers were sent stays in the log: a page that was true once never becomes a lie."""

from collections.abc import Sequence

import asyncpg
from msgspec import Struct


class Sent(Struct, frozen=True):
    """One frame that a browser got."""

    number: int
    kind: str
    #: A piece of a message that was still being written: the whole takes its place in the log.
    is_piece: bool = False


class Heard:
    """Every frame that any browser got, by project and session."""

    def __init__(self) -> None:
        self.boards: dict[str, list[Sent]] = {}
        self.sessions: dict[str, list[Sent]] = {}

    @property
    def count(self) -> int:
        """How many frames there were."""
        return sum(map(len, (*self.boards.values(), *self.sessions.values())))


async def require_heard(connection: asyncpg.Connection, heard: Heard) -> None:
    """Every frame is an event of the log, of that kind; each stream's numbers only rise, and none was skipped."""
    boards = {project: tuple(sent) for project, sent in heard.boards.items()}
    sessions = {session: tuple(sent) for session, sent in heard.sessions.items()}
    for project, sent in boards.items():
        _require_rising(project, sent)
        query = "SELECT number FROM events WHERE project_id = $1 AND session_id IS NULL"
        logged = {row["number"] for row in await connection.fetch(query, project)}
        lost = [frame for frame in sent if frame.number not in logged]
        assert not lost, f"the board {project} was sent what is not in the log: {lost}"
    for session, sent in sessions.items():
        _require_rising(session, sent)
        rows = await connection.fetch("SELECT number, kind FROM events WHERE session_id = $1", session)
        _require_logged(session, sent, {row["number"]: row["kind"] for row in rows})


def _require_rising(stream: str, sent: Sequence[Sent]) -> None:
    numbers = [frame.number for frame in sent]
    assert numbers == sorted(set(numbers)), f"the numbers of {stream} do not rise: {numbers}"


def _require_logged(session: str, sent: Sequence[Sent], logged: dict[int, str]) -> None:
    lost = [frame for frame in sent if not frame.is_piece and logged.get(frame.number) != frame.kind]
    assert not lost, f"the session {session} was sent what is not in the log: {lost}"
    if sent:
        got = {frame.number for frame in sent}
        skipped = [number for number in logged if sent[0].number < number < sent[-1].number and number not in got]
        assert not skipped, f"the session {session} was not sent {skipped}"
