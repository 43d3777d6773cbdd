"""The page of the schema is what the migrations make."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from app.agents.rows import AgentConfig
from app.piccolo_app import ADDED_TABLES, SCHEMA_TABLES
from app.projects.rows import ProjectConfig
from app.sessions.rows import Presence
from app.tasks.rows import Pending, TaskMetadata

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "schema.md").read_text()
CATALOG: dict[str, str] = json.loads((ROOT / "piccolo_migrations" / "catalog.json").read_text())
TABLES = [table._meta.tablename for table in (*SCHEMA_TABLES, *ADDED_TABLES)]


def test_the_tables_are_all_there_in_their_order() -> None:
    assert re.findall(r"^### (\w+)$", PAGE, re.MULTILINE) == TABLES
    assert set(TABLES) == {name.split()[1] for name in CATALOG if name.startswith("table ")}


def test_the_additions_stand_apart_from_what_was_given() -> None:
    given, added = PAGE.split("\n## The additions, with their reasons\n")
    assert re.findall(r"^### (\w+)$", added, re.MULTILINE) == [each._meta.tablename for each in ADDED_TABLES]
    assert re.findall(r"^### (\w+)$", given, re.MULTILINE) == [each._meta.tablename for each in SCHEMA_TABLES]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_these_columns_of_these_types(table: str) -> None:
    block = re.search(rf"^### {table}\n.*?^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert block is not None
    told = {line.split()[0]: line.split()[1] for line in block[1].splitlines()}
    prefix = f"column {table}."
    assert told == {name.removeprefix(prefix): _type(is_) for name, is_ in CATALOG.items() if name.startswith(prefix)}


def _type(column: str) -> str:
    name = re.split(" not null| default ", column)[0].replace("timestamp with time zone", "timestamptz")
    return name if " not null" in column else f"{name}?"


def test_every_foreign_key_is_told() -> None:
    keys = [
        (name.split()[1].split(".")[0], *found.groups())
        for name, says in CATALOG.items()
        if (found := re.match(r"FOREIGN KEY \((\w+)\) REFERENCES (\w+)\(\w+\) ON DELETE (.+)", says))
    ]
    assert len(keys) > 10
    for table, column, other, action in keys:
        part = PAGE.split(f"\n### {table}\n")[1].split("\n### ")[0]
        assert re.search(rf"^{column} .*→ {other}, {action.lower()}", part, re.MULTILINE), (table, column)
        assert re.search(rf"^    {other} \S+--\S+ {table} :", PAGE, re.MULTILINE), f"{other} to {table} in the diagram"


def test_every_enum_type_is_told_with_its_values() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.split("## Enum types")[1].split("\n## ")[0], re.MULTILINE))
    told = {name: re.findall(r"`(\w+)`", words) for name, words in rows.items()}
    assert told == {
        name.removeprefix("enum "): re.findall(r"'(\w+)'", values)
        for name, values in CATALOG.items()
        if name.startswith("enum ")
    }


@pytest.mark.parametrize(
    ("column", "documents"),
    [
        ("projects.config", [ProjectConfig]),
        ("agents.config", [AgentConfig]),
        ("tasks.metadata", [TaskMetadata, Pending]),
        ("sessions.active_users", [Presence]),
    ],
)
def test_every_key_of_a_document_is_told(column: str, documents: list[type[Struct]]) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{column}` |"))
    keys = {field.encode_name for document in documents for field in msgspec.structs.fields(document)}
    assert keys == set(re.findall(r"`(\w+)`", row.split("|")[2]))
