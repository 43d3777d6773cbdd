"""Tool calls get a duration when their program tells none."""

import asyncio

from app.runners.base import ToolFinished, ToolStarted
from app.runners.measuring import measured


async def told(*events):
    for event in events:
        if event is None:
            await asyncio.sleep(0.02)
        else:
            yield event


async def test_what_passes_between_beginning_and_end_is_the_duration():
    began, ended = ToolStarted(call_id="a", tool="Bash", input={}), ToolFinished(call_id="a", status="complete")
    found = [event async for event in measured(told(began, None, ended))]
    assert found[0] == began
    assert 15 <= found[1].duration_ms < 5000


async def test_a_told_duration_stays_and_one_breath_is_not_measured():
    own = ToolFinished(call_id="a", status="complete", duration_ms=7)
    together = ToolFinished(call_id="b", status="complete")
    events = (
        ToolStarted(call_id="a", tool="x", input={}),
        None,
        own,
        ToolStarted(call_id="b", tool="x", input={}),
        together,
    )
    found = [event async for event in measured(told(*events))]
    assert found[1:] == [own, events[3], together]
