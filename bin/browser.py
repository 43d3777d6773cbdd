"""Prints the path of a Chromium that runs here, installing one if need be; what happens goes to standard error."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def main() -> None:
    for candidate in candidates():
        if candidate and runs(candidate):
            return print(candidate)
    sys.exit("No Chromium was found and none could be installed: name one in AGENTPANE_CHROMIUM.")


def candidates() -> Iterator[str | None]:
    """Cheapest first; the later ones install."""
    yield os.environ.get("AGENTPANE_CHROMIUM")
    for name in NAMES:
        yield shutil.which(name)
    yield ON_MACOS
    yield of_playwright()
    say("Installing Playwright's Chromium …")
    call([sys.executable, "-I", "-m", "playwright", "install", "chromium"])
    yield of_playwright()
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Debian's Chromium …")
        call(["apt-get", "update"])
        call(["apt-get", "install", "-y", "--no-install-recommends", "chromium"])
        yield shutil.which("chromium")


def of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def runs(browser: str) -> bool:
    """Whether it starts at all: some systems have a stand-in that only tells how to install it."""
    try:
        return subprocess.run([browser, "--version"], check=False, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def call(command: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment)


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
