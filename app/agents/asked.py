"""What an agent asks a person for just now, for pages about it and its task. `app.permissions` has all of it."""

from msgspec import Struct

from app.postgres.reading import one


class Asked(Struct, frozen=True):
    """A call for which an agent waits. `line`: its tool and main argument."""

    id: str
    line: str
    why: str


async def asked_by(agent_id: str) -> Asked | None:
    """The agent's oldest question that nobody has answered."""
    return await one(
        Asked,
        "SELECT id, line, why FROM permission_requests WHERE agent_id = $1 AND status = 'open'"
        " ORDER BY asked_at, id LIMIT 1",
        agent_id,
    )
