"""Processes behind walls number themselves anew: how a test finds the one that an agent has written down."""

from pathlib import Path

from app.processes import trees


def outside(pid: int, folder: Path) -> int:
    """The number here of the process that works in `folder` and calls itself `pid` there."""
    for each in trees.working_in(folder):
        status = Path(f"/proc/{each}/status").read_text().splitlines()
        numbers = next(line.split()[1:] for line in status if line.startswith("NSpid:"))
        if int(numbers[-1]) == pid:
            return each
    raise AssertionError(f"no process in {folder} calls itself {pid}")
