"""Installs bubblewrap where it is missing and can be had; the tests of the sandbox skip, with the reason, where not."""

import os
import shutil
import subprocess
import sys

COMMANDS = (
    ["apt-get", "update"],
    ["apt-get", "install", "-y", "--no-install-recommends", "bubblewrap"],
)


def main() -> None:
    if shutil.which("bwrap") or not sys.platform.startswith("linux"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Debian's bubblewrap …", file=sys.stderr, flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in COMMANDS:
            subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment)
    if not shutil.which("bwrap"):
        print("bubblewrap is not installed: the tests of the sandbox are skipped.", file=sys.stderr)


if __name__ == "__main__":
    main()
