"""What the forms about worktrees carry."""

from typing import Annotated

from msgspec import Meta, Struct


class Prune(Struct, frozen=True, kw_only=True):
    """The form 'Prune': each worktree as it was shown."""

    worktree: Annotated[list[Annotated[str, Meta(max_length=300)]], Meta(max_length=1000)] = []


class Clear(Struct, frozen=True, kw_only=True):
    """The form that removes a worktree without a row: where it is, and the commit that was shown."""

    path: Annotated[str, Meta(min_length=1, max_length=4000)]
    head: Annotated[str, Meta(min_length=1, max_length=64)]
