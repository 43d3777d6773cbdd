"""The live half of the log as a server has it: a listener that hears, a fan-out that tells."""

from collections.abc import AsyncIterator

import pytest

from app.events.fanout import Fanout
from app.events.recording import CHANNEL
from app.postgres.listening import Listener


@pytest.fixture
async def fanout(database: str) -> AsyncIterator[Fanout]:
    """A fan-out that hears what is committed."""
    fanout = Fanout()
    fanout.start()
    listener = Listener(database, CHANNEL, fanout.on_payload, fanout.on_reconnect)
    await listener.start()
    yield fanout
    await fanout.stop()
    await listener.stop()
