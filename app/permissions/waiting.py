"""Wait for answers: whoever writes one, in this process or another, the waiting program's side hears of it."""

import asyncio

from app.clock import now
from app.permissions.rows import PermissionRow, get_permission
from app.permissions.tables import PermissionRequest
from app.postgres.patience import patiently


class Waiting:
    """The questions of this process's runs that wait for an answer."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Event] = {}

    def wake(self, request_id: str | None = None) -> None:
        """Something happened to a question; None: perhaps to any."""
        for each, happened in self._waiting.items():
            if request_id in (None, each):
                happened.set()

    async def answer_to(self, request: PermissionRow) -> PermissionRow:
        """The question once it is open no more, marked as known to its program."""
        happened = self._waiting.setdefault(request.id, asyncio.Event())
        try:
            while (found := await patiently(lambda: get_permission(request.id))).status == "open":
                await happened.wait()
                happened.clear()
            await patiently(lambda: _take(found))
            return found
        finally:
            self._waiting.pop(request.id, None)


async def _take(request: PermissionRow) -> None:
    await PermissionRequest.update({PermissionRequest.taken_at: now()}).where(
        (PermissionRequest.id == request.id) & PermissionRequest.taken_at.is_null()
    )
