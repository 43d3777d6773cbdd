"""A model that follows a script, so that tests can drive the real Claude Code program on loopback.

Run it by hand with `python -m tests.scripted_model --port 0`, point `ANTHROPIC_BASE_URL` at it, and write
`SCENARIO:<name>` (see `scenarios.py`) into a prompt.
"""

from tests.scripted_model.server import ScriptedModel

__all__ = ["ScriptedModel"]
