"""Ids are cuid2, made by the application: 24 characters, a letter first, then letters and digits in lower case.

Migrations import `create_id` from here, so this module keeps its name for ever.
"""

import re

from cuid2 import create_id as _create

_SHAPE = re.compile(r"[a-z][0-9a-z]{1,31}")


def create_id() -> str:
    """A new id, unique without asking the database."""
    return _create()


def is_id(text: str) -> bool:
    """Whether `text` can be an id at all; says nothing about whether a row has it."""
    return _SHAPE.fullmatch(text) is not None
