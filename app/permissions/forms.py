"""What a person answers."""

from typing import Annotated

from msgspec import Meta, Struct

from app.permissions.states import Decision


class PermissionAnswer(Struct, frozen=True, kw_only=True):
    """The form of a question. The agent is told the note when the call is denied."""

    decision: Decision
    note: Annotated[str, Meta(max_length=1000)] = ""
