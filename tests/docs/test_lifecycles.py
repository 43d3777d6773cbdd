"""The page of lifecycles says what the code does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_code_says() -> None:
    printed = subprocess.run(
        [sys.executable, str(ROOT / "bin" / "lifecycles.py")],
        check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    ).stdout  # fmt: skip
    assert (ROOT / "docs" / "lifecycles.md").read_text() == printed, "run: bin/lifecycles > docs/lifecycles.md"
