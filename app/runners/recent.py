"""What was seen lately: a run of a hundred thousand events must not remember the name of each."""

from typing import TypeVar

Value = TypeVar("Value")

#: A longer name is no program's; it is not remembered.
LONGEST_NAME = 1_000


class Recent(dict[str, Value]):
    """The newest entries, at most `most`; for each more the oldest is forgotten."""

    def __init__(self, most: int = 2_000) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: str, value: Value) -> None:
        if len(key) > LONGEST_NAME:
            return
        super().__setitem__(key, value)
        if len(self) > self._most:
            del self[next(iter(self))]
