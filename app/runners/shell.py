"""What a shell command could run, for rules that ask or refuse. In doubt it is more than it really runs."""

import re

_MORE_THAN_ONE_COMMAND = re.compile(r"[;&|<>`\n]|\$\(")


def is_plain(command: str) -> bool:
    """Whether it is surely one command, in which nothing else is run."""
    return not _MORE_THAN_ONE_COMMAND.search(command)


def commands_of(command: str) -> list[str] | None:
    """Every command in it; None when that cannot be told."""
    parts = re.split(r"[;&|<>`\n(){}]", command)
    return [command.strip(), *(" ".join(part.split()) for part in parts)]
