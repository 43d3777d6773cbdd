"""The journal of a merge in the table `merges`: written before the first file of a checkout changes."""

from pathlib import Path
from typing import Any

from app.clock import now
from app.reviews.tables import Merge


class MergeJournal:
    """One row of `merges`, as `app.git.advancing` wants its journal. `new_oid` is the merge."""

    def __init__(self, merge_id: str, new_oid: str) -> None:
        self.id = merge_id
        self.new_oid = new_oid
        self._row = Merge.id == merge_id

    async def open(self, checkout: Path, old: str, new: str) -> None:
        """Files of `checkout` are about to change from `old` to `new`."""
        values: dict[Any, Any] = {
            Merge.status: "advancing",
            Merge.checkout: str(checkout),
            Merge.old_oid: old,
            Merge.new_oid: new,
        }
        await Merge.update(values).where(self._row)

    async def close(self) -> None:
        """All is in place, or all is as it was."""
        await Merge.update({Merge.status: "prepared"}).where(self._row)

    async def done(self) -> None:
        """The base branch has moved. Together with the task, or a crash between the two would lose the approval."""
        await Merge.update({Merge.status: "done", Merge.completed_at: now()}).where(self._row)

    async def refuse(self) -> None:
        """Nothing has changed."""
        await Merge.update({Merge.status: "refused", Merge.completed_at: now()}).where(self._row)
