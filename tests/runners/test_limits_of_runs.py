"""A run that uses more than it may says which limit it was, whatever kind of program it is."""

import pytest

from app.processes import trees
from app.processes.sandbox import Limits, Sandbox
from app.runners.registry import RUNNERS
from tests.runners.running import collect, make_spec

MANY = ("sh", "-c", "for n in 1 2 3 4 5 6; do sleep 60 & done; wait")


@pytest.mark.parametrize("kind", ["command", "acp"])
async def test_too_many_processes(tmp_path, kind):
    spec = make_spec(tmp_path, command=MANY, sandbox=Sandbox(program="", limits=Limits(processes=3)))
    events = await collect(await RUNNERS[kind].start(spec))
    assert events[-1].error_type == "process_exit"
    assert "3 are its limit" in events[-1].error
    assert trees.find_marked(spec.run_id) == []
