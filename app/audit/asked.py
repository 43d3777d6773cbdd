"""Who was asked for a tool call, and what was said: `app.permissions` has the questions themselves."""

from app.audit.views import AskedFor
from app.postgres.reading import one
from app.web.hidden import name_hidden

_WORDS = {
    "open": "is asked for, and waits for a person",
    "allowed": "was asked for, and allowed once",
    "allowed_for_task": "was asked for, and allowed for its whole task",
    "denied": "was asked for, and denied",
    "withdrawn": "was asked for, and nobody answered in time",
}


async def asked_for(audit_id: str) -> AskedFor | None:
    """What was asked for the call; None when nobody had to be."""
    found = await one(
        AskedFor,
        "SELECT id, rule, status::text AS words, coalesce(answered_by, '') AS by, coalesce(note, '') AS note"
        " FROM permission_requests WHERE audit_id = $1 ORDER BY asked_at DESC, id LIMIT 1",
        audit_id,
    )
    if found is None:
        return None
    return AskedFor(found.id, found.rule, _WORDS[found.words], name_hidden(found.by), name_hidden(found.note))
