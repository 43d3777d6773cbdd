"""The tables `merges`, the journal of every merge, and `checks`, what was run before one."""

from piccolo.columns import ForeignKey, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.postgres.columns import Id
from app.projects.tables import Project
from app.tasks.tables import Task


class Merge(Table, tablename="merges"):
    """One merge of a task's branch into its base branch, or the undo of one."""

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    task_id = ForeignKey(Task, null=True, on_delete=OnDelete.set_null, on_update=OnUpdate.no_action)
    #: `merge` or `undo`.
    kind = Text(default="merge")
    #: What the approval was bound to; empty for an undo.
    digest = Text()
    #: `merge`, `squash` or `rebase`.
    method = Text()
    base_branch = Text()
    branch = Text()
    #: The base branch before and after, as object ids.
    old_oid = Text()
    new_oid = Text()
    #: The working copy whose files advance with the branch; null where the base is checked out nowhere.
    checkout = Text(null=True, default=None)
    #: Of a merge: the tip of the task's branch. Of an undo: where that goes on from.
    branch_oid = Text(null=True, default=None)
    #: Of a merge: what spoke against it when it was approved all the same. Of an undo: why it was made.
    reason = Text(null=True, default=None)
    #: `prepared`, `advancing`, `done`, `refused`, or `undone` for a merge that was taken back; a row left in
    #: `advancing` by a crash is mended at the next start.
    status = Text(default="prepared")
    merged_by = Text()
    created_at = Timestamptz(default=TimestamptzNow())
    completed_at = Timestamptz(null=True, default=None)


class Check(Table, tablename="checks"):
    """One run of one check on a task's branch."""

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    task_id = ForeignKey(Task, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action, index=True)
    #: `pre-commit`, `pre-merge-commit`, `commit-msg`, or `command` for the project's own.
    name = Text()
    #: What it was run on: tip of the base branch and of the task's.
    base_oid = Text()
    head_oid = Text()
    #: `running`, `passed`, `failed`, or `error` when it was cut off.
    status = Text(default="running")
    #: The end of what it printed.
    log = Text(null=True, default=None)
    started_by = Text()
    started_at = Timestamptz(default=TimestamptzNow())
    completed_at = Timestamptz(null=True, default=None)
