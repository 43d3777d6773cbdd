"""The demo's tasks, as the files in `stories/` tell them; the scripted agent plays the same files."""

import tomllib
from pathlib import Path

import msgspec
from msgspec import Struct

FOLDER = Path(__file__).parent / "stories"

#: In board order.
ORDER = (
    "accept-amounts-with-a-comma",
    "show-totals-by-month",
    "convert-foreign-amounts",
    "say-which-row-is-wrong",
    "line-up-the-amounts",
    "describe-the-file-format",
)


class Story(Struct, frozen=True, kw_only=True):
    """What the card says, and whether it is put to work at once."""

    title: str
    description: str
    labels: tuple[str, ...] = ()
    start: bool = False
    #: The name of the agent that shall do it; empty lets the first free one take it.
    agent: str = ""


def stories() -> list[Story]:
    """All of them in board order."""
    return [msgspec.convert(tomllib.loads((FOLDER / f"{name}.toml").read_text()), Story) for name in ORDER]
