"""Serve until interrupted; prints the address and the scenarios."""

import argparse
import contextlib
import threading

from tests.scripted_model.scenarios import SCENARIOS
from tests.scripted_model.server import ScriptedModel


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.scripted_model", description=__doc__)
    options.add_argument("--port", type=int, default=0, help="0 picks a free one")
    with ScriptedModel(options.parse_args().port) as model:
        print(f"ANTHROPIC_BASE_URL={model.url}", flush=True)
        print("SCENARIO:" + " SCENARIO:".join(SCENARIOS), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
