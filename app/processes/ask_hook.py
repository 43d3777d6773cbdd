"""Ask AgentPane whether a call may run: what a program, or its hook, runs before each tool.

Started as `ask` (the file beside it) with the call as JSON on standard input; standard library only, and no import from
the application, because it runs inside of the agent's walls. The answer comes over the socket in its own folder, when
it comes: a person may have to be asked. What it prints and ends with is what AgentPane says; a call about which nobody
can be asked does not run.
"""

import json
import os
import socket
import sys
from pathlib import Path

#: Bytes of one call; whoever listens takes no more either.
MAX_CALL = 8 * 1024 * 1024
REFUSED = 2


def main() -> int:
    """The exit code: 0 when the call may run."""
    call = sys.stdin.buffer.read(MAX_CALL + 1)
    if len(call) > MAX_CALL:
        return _refuse(f"This call is larger than {MAX_CALL // 1024**2} MiB, so nobody was asked.")
    try:
        answer = json.loads(ask(call))
        sys.stdout.write(answer["out"])
        sys.stderr.write(answer["err"])
        return int(answer["code"])
    except (OSError, ValueError, KeyError, TypeError):
        return _refuse("AgentPane does not answer, so this call does not run.")


def ask(call: bytes) -> bytes:
    """What AgentPane says, however long that takes; nothing once it is gone."""
    os.chdir(Path(__file__).parent)  # The path of a socket may have about a hundred bytes, so it is named from here.
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("socket")
        connection.sendall(b"%d\n%b" % (len(call), call))
        parts = iter(lambda: connection.recv(65536), b"")
        return b"".join(parts)


def _refuse(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
