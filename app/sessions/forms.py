"""What people type in a session."""

from typing import Annotated

from msgspec import Meta, Struct

Text = Annotated[str, Meta(max_length=20_000)]


class Message(Struct, frozen=True, kw_only=True):
    """The composer."""

    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
