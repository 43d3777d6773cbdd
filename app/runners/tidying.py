"""Agent output is hostile: what leaves a runner can be stored as text and JSON, and no string of it is boundless."""

from typing import Any

import msgspec

from app.processes.cutting import beginning
from app.runners.base import AgentEvent, Usage

#: Characters kept of one string of an event; a longer one says how much was cut.
MAX_TEXT = 256 * 1024
_MAX_DEPTH = 20
_MAX_COUNT = 2**31 - 1


def tidy(event: AgentEvent) -> AgentEvent:
    """The same event without NULs, lone surrogates, boundless strings, nested depths and numbers no column holds."""
    if isinstance(event, Usage):
        return _tidy_usage(event)
    changed = {}
    for name in event.__struct_fields__:
        before = getattr(event, name)
        after = _tidy_usage(before) if isinstance(before, Usage) else tidy_value(before)
        if after is not before:
            changed[name] = after
    return msgspec.structs.replace(event, **changed) if changed else event


def shorten(event: AgentEvent, chars: int) -> AgentEvent:
    """The same event with each of its texts cut to `chars`."""
    changed = {
        name: tidy_value(getattr(event, name), 0, chars)
        for name in event.__struct_fields__
        if not isinstance(getattr(event, name), Usage)
    }
    return msgspec.structs.replace(event, **changed)


def tidy_value(value: Any, depth: int = 0, most: int = MAX_TEXT) -> Any:
    """`value` fit for JSON: a string, number, boolean, None, or lists and dicts of these."""
    if isinstance(value, str):
        return tidy_text(value, most)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _MAX_DEPTH:
        return "… [nested too deeply]"
    if isinstance(value, dict):
        return {tidy_text(str(key), most): tidy_value(each, depth + 1, most) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(tidy_value(each, depth + 1, most) for each in value)
    return tidy_text(str(value), most)


def tidy_text(text: str, most: int = MAX_TEXT) -> str:
    """`text` that PostgreSQL and UTF-8 can hold, cut after `most` characters."""
    if len(text) > most:
        kept = beginning(text, most)
        text = f"{kept}… [{len(text) - len(kept)} more characters were cut]"
    if not text.isascii():
        text = text.encode("utf-8", errors="replace").decode("utf-8")
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _tidy_usage(usage: Usage) -> Usage:
    read, written = _count(usage.cache_read_tokens), _count(usage.cache_write_tokens)
    if (read or 0) + (written or 0) > (_count(usage.input_tokens) or 0):
        read = written = None  # Parts that are more than the whole say nothing.
    return Usage(
        input_tokens=_count(usage.input_tokens),
        output_tokens=_count(usage.output_tokens),
        cache_read_tokens=read,
        cache_write_tokens=written,
        is_partial=usage.is_partial,
        cost_usd=usage.cost_usd if isinstance(usage.cost_usd, int | float) and 0 <= usage.cost_usd < 1e6 else None,
    )


def _count(number: Any) -> int | None:
    return number if isinstance(number, int) and 0 <= number <= _MAX_COUNT else None
