"""`serve --open`: the browser that it opens is a visitor like any other, though the server has started it."""

import os
import shlex
import signal
import sys
from pathlib import Path

from app.processes.guard import below
from tests.e2e.server import Server
from tests.runners.running import until_exists

BROWSER = "import os, sys\nopen(sys.argv[1], 'w').write(f'{os.getpid()} {sys.argv[2]}')\nimport time\ntime.sleep(600)"


async def test_the_browser_does_not_stem_from_the_server(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-c", BROWSER, str(seen)])} "$1"\n')
    browser.chmod(0o755)
    server = Server(tmp_path, {"BROWSER": str(browser)}, command=("serve", "--open"))
    await server.start()
    try:
        pid, address = (await until_exists(seen)).read_text().split()
        try:
            assert address == server.url
            assert int(pid) not in below(server.process.pid)
        finally:
            os.kill(int(pid), signal.SIGKILL)
    finally:
        await server.stop()
