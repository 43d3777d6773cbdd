"""An agent that only talks, in the JSON lines of Claude Code, as fast as it is told. Standard library only.

Each message says its number and the moment at which it was said, in milliseconds of the wall clock.
"""

import argparse
import json
import sys
import time
import uuid
from typing import Any

#: Every so many lines there is a tool call in place of a message.
CALL_EVERY = 10


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--lines", type=int, required=True)
    options.add_argument("--every", type=float, default=0.0, help="seconds from one line to the next")
    chosen = options.parse_args()
    sys.stdin.read()
    _print({"type": "system", "subtype": "init", "model": "talker"})
    for number in range(1, chosen.lines + 1):
        _call(number) if number % CALL_EVERY == 0 else _say(number)
        time.sleep(chosen.every)
    usage = {"input_tokens": chosen.lines, "output_tokens": chosen.lines}
    _print({"type": "result", "subtype": "success", "is_error": False, "result": "Said it all.", "usage": usage})


def _say(number: int) -> None:
    text = f"said {number} at {time.time() * 1000:.1f}. " + "And what a message says besides. " * 5
    _assistant(number, {"type": "text", "text": text})


def _call(number: int) -> None:
    call_id = uuid.uuid4().hex
    _assistant(number, {"type": "tool_use", "id": call_id, "name": "Bash", "input": {"command": f"echo {number}"}})
    result = {"type": "tool_result", "tool_use_id": call_id, "content": f"{number}\n" * 20}
    _print({"type": "user", "message": {"role": "user", "content": [result]}})


def _assistant(number: int, block: dict[str, Any]) -> None:
    _print({"type": "assistant", "message": {"id": f"msg_{number}", "role": "assistant", "content": [block]}})


def _print(line: dict[str, Any]) -> None:
    print(json.dumps(line | {"session_id": "talker"}), flush=True)


if __name__ == "__main__":
    main()
