"""What people type when they decide, with the limits of the contract."""

from typing import Annotated

from msgspec import Meta, Struct

from app.git.merging import Method


class Approval(Struct, frozen=True, kw_only=True):
    """The form 'Approve and merge'."""

    #: The digest of what was shown; an approval of anything else is refused.
    digest: Annotated[str, Meta(min_length=1, max_length=100)]
    #: Where base and branch stood when the page was made: only to tell what moved.
    base_oid: Annotated[str, Meta(pattern="^[0-9a-f]{0,64}$")] = ""
    head_oid: Annotated[str, Meta(pattern="^[0-9a-f]{0,64}$")] = ""
    merge_method: Method = "merge"
    #: The commit message; empty takes the title.
    message: Annotated[str, Meta(max_length=10_000)] = ""
    keep_branch: bool = False
    #: Merge although a check failed or conflict marks are left; the decision says so.
    despite_checks: bool = False
    #: Verified without a merge, for work that is right as it is or has nothing to merge.
    accept_without_merge: bool = False
    #: The name under which the decision is kept.
    approved_by: Annotated[str, Meta(max_length=100)] = ""


class Undoing(Struct, frozen=True, kw_only=True):
    """The form 'Undo the merge'."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000)]


class Rejection(Struct, frozen=True, kw_only=True):
    """The form 'Request changes'."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000)]
