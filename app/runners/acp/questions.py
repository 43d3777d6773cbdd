"""Answer the program's question whether a call may run, by the kinds of the options that it offers."""

from typing import Any

CANCELLED: dict[str, Any] = {"outcome": {"outcome": "cancelled"}}
#: What we choose, the narrowest first: no program is to stop asking because we said yes once.
_YES, _NO = ("allow_once", "allow_always"), ("reject_once", "reject_always")


def answer(options: Any, *, allowed: bool) -> dict[str, Any] | None:
    """The result of the request; None where the program offers nothing that says yes."""
    offered = [each for each in options if isinstance(each, dict)] if isinstance(options, list) else []
    for kind in _YES if allowed else _NO:
        for option in offered:
            if option.get("kind") == kind and isinstance(option.get("optionId"), str):
                return {"outcome": {"outcome": "selected", "optionId": option["optionId"]}}
    return None if allowed else CANCELLED
