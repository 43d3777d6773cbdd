"""What somebody does to a chain who can write to the database, or to the file of an export."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from app.audit import offline_verify
from app.audit.exporting import json_lines
from app.audit.filters import Filter
from app.audit.offline_verify import GENESIS, Entry, entry_hash
from app.audit.reading import pages
from app.postgres.reading import execute
from app.projects.rows import ProjectRow

ROOT = Path(__file__).parents[2]
DAMAGES = ("altered", "removed", "inserted", "reordered")


async def chain(project: ProjectRow) -> list[Entry]:
    """The chain as it is hashed."""
    return [entry async for page in pages(project.id, 10**9) for entry in page]


def forged(entry: Entry, **changes: Any) -> Entry:
    """An entry with a hash that fits it."""
    entry = replace(entry, **changes)
    return replace(entry, hash=entry_hash(entry))


def damaged(entries: list[Entry], damage: str, number: int) -> list[Entry]:
    """The chain with one entry altered, removed, inserted with a hash that fits, or exchanged with the next one (the
    last with the one before). Numbers have no gap where that can be done."""
    at = number - 1
    match damage:
        case "altered":
            return [*entries[:at], replace(entries[at], actor="Somebody else"), *entries[number:]]
        case "removed":
            later = [replace(each, number=each.number - 1) for each in entries[number:]]
            return [*entries[:at], *later]
        case "inserted":
            before = entries[at - 1].hash if at else GENESIS
            new = forged(
                entries[0], number=number, kind="decision", subject="t1", actor_kind="person", actor="Mara",
                content='{"decision":"approved"}', previous_hash=before,
            )  # fmt: skip
            return [*entries[:at], new, *(replace(each, number=each.number + 1) for each in entries[at:])]
        case _:
            first = min(at, len(entries) - 2)
            one, two = entries[first], entries[first + 1]
            moved = [replace(two, number=one.number), replace(one, number=two.number)]
            return [*entries[:first], *moved, *entries[first + 2 :]]


async def write(project: ProjectRow, entries: list[Entry]) -> None:
    """Put these entries in the place of the chain, as they are, behind the back of everything."""
    await execute("DELETE FROM audit_chain WHERE project_id = $1", project.id)
    for entry in entries:
        await execute(
            "INSERT INTO audit_chain (project_id, number, kind, subject_id, actor_kind, actor, at, content,"
            " previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7::text::timestamptz, $8, $9, $10)",
            project.id, entry.number, entry.kind, entry.subject, entry.actor_kind, entry.actor, entry.at, entry.content,
            entry.previous_hash, entry.hash,
        )  # fmt: skip


async def exported(project: ProjectRow, folder: Path, wanted: Filter | None = None) -> Path:
    """The export as a file."""
    path = folder / "audit.jsonl"
    path.write_bytes(b"".join([line async for line in json_lines(project, wanted or Filter())]))
    return path


def rewrite(path: Path, entries: list[Entry]) -> None:
    """Put these entries into the file, each with the row of its tool call if it had one."""
    head, *lines = path.read_text().splitlines()
    rows = {(line["subject"], line["kind"]): line.get("row") for line in map(json.loads, lines)}
    written = []
    for entry in entries:
        line = {name: value for name, value in asdict(entry).items() if name != "project"}
        row = rows.get((entry.subject, entry.kind))
        written.append(json.dumps(line | ({"row": row} if row else {})))
    path.write_text("\n".join([head, *written]) + "\n")


def script(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The script alone, with any Python and nothing of ours to import."""
    copy = path.parent / "verify.py"
    copy.write_text(Path(offline_verify.__file__).read_text())
    return subprocess.run(
        [sys.executable, "-I", copy, *options, path], capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )


def command(database: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`agentpane audit verify` on this database."""
    return subprocess.run(
        [sys.executable, "-m", "app", "audit", "verify", "--data-dir", folder, *options],
        env={"DATABASE_URL": database, "PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip
