"""The tables `github_installations` and `repository_configs`, as `docs/schema.md` describes them."""

from piccolo.columns import JSONB, Boolean, ForeignKey, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table

from app.postgres.columns import EnumColumn, Id


class GithubInstallation(Table, tablename="github_installations"):
    """One installation of the GitHub App; the id is GitHub's."""

    id = Text(primary_key=True)
    account_id = Text()
    account_login = Text()
    #: `User` or `Organization`.
    account_type = Text()
    account_avatar_url = Text(null=True, default=None)
    status = EnumColumn("installation_status", default="active")
    permissions = JSONB(null=True, default={})
    #: `all` or `selected`.
    repository_selection = Text(null=True, default=None)
    installed_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
    suspended_at = Timestamptz(null=True, default=None)


class RepositoryConfig(Table, tablename="repository_configs"):
    """A repository's configuration folder as it was last read."""

    id = Id()
    installation_id = ForeignKey(
        GithubInstallation, null=False, on_delete=OnDelete.cascade, on_update=OnUpdate.no_action
    )
    owner = Text()
    repo = Text()
    #: `owner/repo`
    full_name = Text()
    config_path = Text(default=".claude")
    config_sha = Text(null=True, default=None)
    config = JSONB(null=True, default={})
    last_synced_at = Timestamptz(null=True, default=None)
    sync_error = Text(null=True, default=None)
    default_branch = Text(null=True, default="main")
    is_private = Boolean(null=True, default=False)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
