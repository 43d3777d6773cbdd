"""The ports that are meant for what a task's worktree starts: ten for each worktree number of this machine."""

#: First port of worktree 1, and how many each has.
PORTS_FROM = 20_000
PORTS_EACH = 10


def ports_of(number: int) -> range:
    """The ports of worktree `number`, counted from 1."""
    first = PORTS_FROM + (number - 1) * PORTS_EACH
    return range(first, first + PORTS_EACH)
