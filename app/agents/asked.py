"""What an agent asks a person for just now, for pages about it and its task."""

from msgspec import Struct

from app.postgres.reading import one
from app.projects.asked import OPEN_QUESTIONS


class Asked(Struct, frozen=True):
    """A call for which an agent waits, or a limit at which it does. `path` is where that is answered."""

    path: str
    #: The call's tool and main argument; of a limit, the sentence.
    line: str
    why: str
    #: What follows the agent's name.
    what: str


async def asked_by(agent_id: str) -> Asked | None:
    """The agent's oldest question that nobody has answered."""
    return await one(
        Asked,
        f"SELECT path, line, why, what FROM {OPEN_QUESTIONS} q WHERE agent_id = $1 ORDER BY asked_at, id LIMIT 1",  # noqa: S608
        agent_id,
    )
