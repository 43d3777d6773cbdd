"""Work that waits for a database that is away, and only for that."""

import pytest

from app.postgres import patience
from app.postgres.patience import patiently


async def test_it_is_tried_again_until_the_database_is_back() -> None:
    failures = [ConnectionRefusedError(), ConnectionResetError()]

    async def work() -> str:
        if failures:
            raise failures.pop()
        return "written"

    assert await patiently(work) == "written"


async def test_any_other_error_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 1000)

    async def work() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await patiently(work)
