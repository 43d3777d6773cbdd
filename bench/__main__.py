"""`python -m bench`: every measurement, one after another; `--write` renews docs/performance.md."""

import subprocess
import sys

#: In the order of the document.
MEASUREMENTS = ("start", "memory", "board", "move", "audit", "browser", "viewers", "agents")


def main() -> int:
    """Run each in a process of its own, so that none inherits what another warmed up."""
    codes = [subprocess.call([sys.executable, "-m", f"bench.{name}", *sys.argv[1:]]) for name in MEASUREMENTS]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
