"""Readers of what agent programs print: JSON lines of the known ones, plain text of all others."""

import json
from typing import Any

from app.runners.lines.base import JsonLines
from app.runners.lines.claude import ClaudeLines
from app.runners.lines.codex import CodexLines
from app.runners.lines.gemini import GeminiLines
from app.runners.lines.opencode import OpencodeLines

FORMATS: tuple[type[JsonLines], ...] = (ClaudeLines, CodexLines, GeminiLines, OpencodeLines)


def as_json(text: str) -> dict[str, Any] | None:
    """The object that a line holds, or None where the line is anything else."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def detect(line: dict[str, Any]) -> JsonLines | None:
    """A fresh parser for the program whose first JSON line this is."""
    return next((known() for known in FORMATS if known.recognises(line)), None)
