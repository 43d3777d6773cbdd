"""Links lead somewhere, pictures stay small, and no committed text tells of the machine it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: Put together here, so that this file does not say it itself.
ELSEWHERE = re.compile("|".join(("/" + r"work/(?:wt|main|shared|venvs)", r"/tmp/bash" + "_jobs", r"/root" + "/")))
#: Where packages come from is the reader's own setting: a lock file that names it would bind everybody to one place.
INDEX = re.compile(r"^\s*--(?:extra-)?index-url|^\s*--find-links|files\.python" + r"hosted\.org", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    ours = [link for link in links if not link.startswith(("http://", "https://"))]
    assert [link for link in ours if not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in _anchors(target.read_text())


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_first_one() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
        waiting += [(page.parent / link).resolve() for link in links if "://" not in link]
    assert {str(page.relative_to(ROOT)) for page in PAGES} - {str(page.relative_to(ROOT)) for page in reached} == set()


def test_pictures_are_small_and_used() -> None:
    pictures = sorted((ROOT / "docs" / "img").iterdir())
    assert len(pictures) >= 3
    told = (ROOT / "README.md").read_text()
    assert [p.name for p in pictures if p.stat().st_size > 150_000 or f"docs/img/{p.name}" not in told] == []


def test_no_text_names_a_machine_or_a_package_index() -> None:
    texts = {path: text for path in _committed() if (text := _text(path)) is not None}
    assert ROOT / "requirements.lock" in texts
    wrong = {
        str(path.relative_to(ROOT)): found[0]
        for path, text in texts.items()
        if (found := ELSEWHERE.search(text) or INDEX.search(text))
    }
    assert wrong == {}


def _committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return None
