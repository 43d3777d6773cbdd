"""One merge after the other in each project: the database writes approvals in the order in which the base took them."""

import asyncio
from weakref import WeakValueDictionary

_turns: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()


def turn_of(project_id: str) -> asyncio.Lock:
    """Held from before a base branch moves until its task says so. Only for this process, which is the one server."""
    key = (id(asyncio.get_running_loop()), project_id)
    return _turns.setdefault(key, asyncio.Lock())
