"""Files and folders of the machine that a project's settings open to its agents."""

from pathlib import Path

from app.errors import Invalid

#: Paths that one field may name.
MOST = 50


def machine_paths(text: str | None, field: str, hidden: Path | None) -> tuple[str, ...]:
    """The lines of `text` as typed, each an existing path; a field error for what must never be opened.

    `hidden` is our own data folder: agents must not see it, nor be told that they may.
    """
    lines = tuple(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip()))
    if len(lines) > MOST:
        raise Invalid({field: f"{MOST} paths are the limit; name the folder that holds them."})
    for line in lines:
        _check(line, field, hidden)
    return lines


def _check(line: str, field: str, hidden: Path | None) -> None:
    try:
        path = Path(line).expanduser()
        home = Path.home()
    except RuntimeError as error:
        raise Invalid({field: f"{line}: there is no such home folder on this machine."}) from error
    if not path.is_absolute() or ".." in path.parts or "\0" in line:
        raise Invalid({field: f"{line}: give a whole path, from / or from ~ on."})
    if not path.exists():
        raise Invalid({field: f"{line} does not exist on this machine."})
    found = path.resolve()
    if home.resolve().is_relative_to(found):
        raise Invalid({field: f"{line} holds your whole home folder: name what agents need of it."})
    if hidden is not None and found.is_relative_to(hidden.resolve()):
        raise Invalid({field: f"{line} belongs to AgentPane itself, and no agent may see it."})
