"""The pages name what is there: files, packages, settings, endings, and sentences as the program says them."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from app.runners.base import ErrorType
from app.settings import AGENT_ENVIRONMENT

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / "docs" / name for name in ("architecture.md", "agents.md", "security.md", "troubleshooting.md")),
    *sorted((ROOT / "docs" / "adr").glob("*.md")),
    ROOT / "docs" / "lifecycles.md",
    ROOT / "app" / "README.md",
    ROOT / "STYLE.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    named = re.findall(r"`((?:app|bin|docs|static|templates|tests)/[\w./-]+)`", text)
    linked = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert [link for link in linked if not (page.parent / link).exists()] == []


def test_the_map_shows_every_package() -> None:
    packages = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    assert packages == set(re.findall(r"^\| `(\w+)/`", (ROOT / "app" / "README.md").read_text(), re.MULTILINE))


def test_decisions_are_numbered_listed_and_whole() -> None:
    folder = ROOT / "docs" / "adr"
    records = sorted(folder.glob("0*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    assert re.findall(r"\((0[^)]+)\)", (folder / "README.md").read_text()) == [path.name for path in records]
    for path in records:
        assert re.findall(r"^## (\w+)$", path.read_text(), re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_all_that_an_agent_gets_is_told() -> None:
    page = (ROOT / "docs" / "agents.md").read_text()
    promised = re.findall(r'"(AGENTPANE_\w+)"', (ROOT / "app" / "runs" / "environment.py").read_text())
    assert promised
    assert [name for name in (*AGENT_ENVIRONMENT, *promised) if f"`{name}`" not in page] == []


def test_every_ending_is_told() -> None:
    page = (ROOT / "docs" / "agents.md").read_text()
    assert [reason for reason in get_args(ErrorType) if f"`{reason}`" not in page] == []


def quotes() -> list[str]:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    return re.findall(r"^> (.+)$", page, re.MULTILINE)


@pytest.mark.parametrize("quote", quotes())
def test_the_program_says_what_is_quoted(quote: str) -> None:
    pieces = [piece.strip(" .:") for piece in quote.split("…")]
    assert max(map(len, pieces)) > 10
    assert [piece for piece in pieces if piece not in said()] == []


@cache
def said() -> str:
    """Every text in the code, adjacent ones joined as Python joins them."""
    modules = [*(ROOT / "app").rglob("*.py"), *(ROOT / "bin").glob("*.py")]
    texts = [
        node.value
        for module in modules
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return "\n".join([*texts, (ROOT / "bin" / "environment.sh").read_text()])
