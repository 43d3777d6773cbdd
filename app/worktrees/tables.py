"""The tables `worktrees`, `worktree_details` and `worktree_steps`, as `docs/schema.md` describes them."""

from piccolo.columns import BigInt, Boolean, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.postgres.columns import EnumColumn, Id
from app.projects.tables import Project
from app.tasks.tables import Task


class Worktree(Table, tablename="worktrees"):
    """A git worktree and branch made for one task."""

    id = Id()
    project_id = ForeignKey(Project, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    task_id = ForeignKey(Task, null=True, on_delete=OnDelete.set_null, on_update=OnUpdate.no_action)
    branch = Text()
    base_branch = Text(default="main")
    #: Absolute.
    path = Text()
    status = EnumColumn("worktree_status", default="creating")
    env_copied = Boolean(null=True, default=False)
    deps_installed = Boolean(null=True, default=False)
    init_script_run = Boolean(null=True, default=False)
    last_error = Text(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
    merged_at = Timestamptz(null=True, default=None)
    removed_at = Timestamptz(null=True, default=None)


class WorktreeDetail(Table, tablename="worktree_details"):
    """What a worktree has beyond the schema document: its number, and how much room it takes."""

    worktree_id = ForeignKey(
        Worktree, primary_key=True, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action
    )
    #: 1, 2, …: the smallest that no other worktree of this server had; NULL once it is removed.
    number = Integer(null=True, default=None, unique=True)
    #: Bytes on disk, as they were at `measured_at`.
    size = BigInt(null=True, default=None)
    #: There is more: measuring stopped at its bound.
    is_larger = Boolean(default=False)
    measured_at = Timestamptz(null=True, default=None)


class WorktreeStep(Table, tablename="worktree_steps"):
    """One of the four steps of making a worktree, with what it printed."""

    id = Id()
    worktree_id = ForeignKey(Worktree, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action)
    #: `add`, `env`, `deps`, `init`, in this order.
    name = Text()
    #: `pending`, `running`, `done`, `skipped` or `error`.
    status = Text(default="pending")
    log = Text(null=True, default=None)
    started_at = Timestamptz(null=True, default=None)
    completed_at = Timestamptz(null=True, default=None)
