"""Empty the questions for old tool calls, when these are emptied: the line that was asked for stays."""

from collections.abc import Sequence

from app.postgres.reading import execute


async def empty_questions(audit_ids: Sequence[str]) -> None:
    """What the calls took goes, in the questions too that were asked for them. In the project's lock."""
    await execute("UPDATE permission_requests SET input = '{}' WHERE audit_id = ANY($1)", list(audit_ids))
