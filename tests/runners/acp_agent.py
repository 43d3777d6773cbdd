"""A program that speaks the protocol, well or badly: `python acp_agent.py SCENE`. Standard library only."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODES = {"currentModeId": "auto", "availableModes": [{"id": "auto", "name": "Auto"}, {"id": "default", "name": "Ask"}]}
MODEL = {"id": "m", "category": "model", "type": "select", "currentValue": "small", "options": [{"value": "large"}]}
OPTIONS = [
    {"optionId": "ever", "name": "Always", "kind": "allow_always"},
    {"optionId": "once", "name": "Yes", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]
Scene = Callable[["Agent", str], dict[str, Any] | None]
SCENES: dict[str, Scene] = {}


def scene(function: Scene) -> Scene:
    SCENES[function.__name__] = function
    return function


class Agent:
    """One conversation. Everything that it heard stands in the file `heard.jsonl` of its folder."""

    def __init__(self, play: Scene, can_load: bool = True) -> None:
        self.play = play
        self.can_load = can_load
        self.session = "s-1"
        self.asked = 0
        self.prompt_id: Any = None
        self.is_cancelled = False

    def serve(self) -> None:
        while message := self.hear():
            self.heed(message)

    def hear(self) -> dict[str, Any] | None:
        line = sys.stdin.readline()
        with Path("heard.jsonl").open("a") as log:
            log.write(line)
        return json.loads(line) if line else None

    def heed(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params") or {}
        if method == "session/cancel":
            self.is_cancelled = True
        elif method == "session/prompt":
            self.prompt_id, self.is_cancelled = message["id"], False
            answer = self.play(self, "".join(part["text"] for part in params["prompt"]))
            self.answer(self.prompt_id, answer or {"stopReason": "end_turn"})
        elif method == "session/load":
            self.load(message["id"], params["sessionId"])
        elif method is not None:
            self.answer(message["id"], self.replies().get(method, {}))

    def replies(self) -> dict[str, Any]:
        about = {"loadSession": self.can_load}
        return {
            "initialize": {"protocolVersion": 1, "agentCapabilities": about, "agentInfo": {"name": "badly"}},
            "session/new": {"sessionId": self.session, "modes": MODES, "configOptions": [MODEL]},
        }

    def load(self, request: Any, session: str) -> None:
        if session != self.session:
            return self.say(id=request, error={"code": -32002, "message": "Resource not found"})
        self.update("user_message_chunk", content={"type": "text", "text": "What was asked before."})
        self.text("What was answered before.")
        self.call("old", status="completed", rawInput={"command": "ls"})
        return self.answer(request, {"modes": MODES, "configOptions": [MODEL]})

    def answer(self, request: Any, result: Any) -> None:
        self.say(id=request, result=result)

    def say(self, **message: Any) -> None:
        self.raw(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def raw(self, line: bytes) -> None:
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()

    def update(self, told: str, **more: Any) -> None:
        update = {"sessionUpdate": told, **more}
        self.say(method="session/update", params={"sessionId": self.session, "update": update})

    def text(self, text: str, **more: Any) -> None:
        self.update("agent_message_chunk", content={"type": "text", "text": text}, **more)

    def call(self, call_id: str, told: str = "tool_call_update", **more: Any) -> None:
        self.update(told, toolCallId=call_id, **more)

    def begin(self, call_id: str, title: str = "bash", kind: str = "execute", **more: Any) -> None:
        self.call(call_id, "tool_call", title=title, kind=kind, status="pending", rawInput={}, **more)

    def ask(self, call_id: str, options: Any = OPTIONS, **more: Any) -> str | None:
        """The id of the option that was chosen; None when the question was cancelled."""
        self.asked += 1
        request = f"q{self.asked}"
        call = {"toolCallId": call_id, **more}
        params = {"sessionId": self.session, "toolCall": call, "options": options}
        self.say(id=request, method="session/request_permission", params=params)
        while (message := self.hear()) and message.get("id") != request:
            self.heed(message)
        assert message is not None
        return message["result"]["outcome"].get("optionId")

    def run(self, call_id: str, command: str) -> None:
        """Ask whether a command may run, and run it."""
        self.begin(call_id)
        self.call(call_id, rawInput={"command": command})
        if self.ask(call_id, rawInput={"command": command}) == "once":
            said = subprocess.run(["sh", "-c", command], check=False, capture_output=True, text=True).stdout
            self.call(call_id, status="completed", rawOutput={"output": said})
        else:
            self.call(call_id, status="failed")

    def was_cancelled(self) -> bool:
        """Whether somebody wants the turn to end; looks for a moment."""
        if select.select([sys.stdin], [], [], 0.02)[0] and (message := self.hear()):
            self.heed(message)
        return self.is_cancelled

    def until_cancelled(self) -> dict[str, Any]:
        while not self.is_cancelled and (message := self.hear()):
            self.heed(message)
        return {"stopReason": "cancelled"}


@scene
def journey(agent: Agent, prompt: str) -> dict[str, Any]:
    """Says what it was asked, runs a command, and ends; the second prompt is only answered."""
    agent.say(method="_auth/status_update", params={"signedIn": True})
    agent.update(
        "plan", entries=[{"content": "Write", "status": "completed"}, {"content": "Rest", "status": "pending"}]
    )
    agent.text("I begin", messageId="m1")
    agent.text(" now.", messageId="m1")
    agent.run("c1", "echo hello; touch done.txt")
    agent.update("usage_update", used=10, cost={"amount": 0.5, "currency": "USD"})
    agent.text(f"I was asked: {prompt}", messageId="m2")
    return {"stopReason": "end_turn", "usage": {"inputTokens": 100, "cachedReadTokens": 5, "outputTokens": 20}}


@scene
def silent_about_tokens(agent: Agent, _prompt: str) -> None:
    agent.text("Done.")


@scene
def asks_once(agent: Agent, prompt: str) -> dict[str, Any] | None:
    """Asks for a command at its first prompt, and only answers any other."""
    if prompt != "Do it.":
        return agent.text(f"Now: {prompt}")
    agent.run("c1", "touch asked.txt")
    return agent.until_cancelled()


@scene
def twice(agent: Agent, prompt: str) -> None:
    """Two commands, one after the other, whenever it is asked; of what it is told of a refusal it only speaks."""
    if "refused" in prompt:
        return agent.text(f"Then not. {prompt}")
    agent.run(f"a{agent.asked}", "echo one >> tags.txt")
    agent.run(f"b{agent.asked}", "echo two >> tags.txt")
    return None


@scene
def loop(agent: Agent, _prompt: str) -> dict[str, Any]:
    for number in range(1000):
        agent.run(f"c{number}", "true")
        if agent.was_cancelled():
            return {"stopReason": "cancelled"}
    return {"stopReason": "end_turn"}


@scene
def refuses(agent: Agent, prompt: str) -> None:
    """Ends its turn on a refusal, as opencode does."""
    if "refused" in prompt:
        return agent.text(f"Then not. {prompt}")
    agent.text("I try.")
    return agent.run("c1", "touch forbidden.txt")


@scene
def acts_unasked(agent: Agent, _prompt: str) -> dict[str, Any]:
    agent.begin("c1")
    agent.call("c1", status="in_progress", rawInput={"command": "touch unasked.txt"})
    agent.call("c1", status="completed", rawOutput={"output": ""})
    return agent.until_cancelled()


@scene
def reads_unasked(agent: Agent, _prompt: str) -> None:
    agent.begin("c1", "read", "read", locations=[{"path": "/etc/hostname"}])
    agent.call("c1", status="completed", content=[{"type": "content", "content": {"type": "text", "text": "host"}}])
    agent.text("Read.")


@scene
def ids(agent: Agent, _prompt: str) -> None:
    """A result without a call, an id used twice, a call without an end, and a second end."""
    agent.call("nobody", status="completed", title="ls", kind="search", rawOutput="a\nb")
    for number in (1, 2):
        agent.begin("same", "read", "read")
        agent.call("same", status="completed", rawOutput={"number": number})
    agent.call("same", status="failed")
    agent.begin("open", "think", "think")
    agent.text("Well.")


@scene
def noise(agent: Agent, _prompt: str) -> None:
    agent.raw(b"{not json")
    agent.raw(b"caf\xe9 \xff")
    agent.raw(b"")
    agent.raw(b"[1, 2]")
    agent.raw(b'{"jsonrpc": "2.0", "id": ["list"], "result": {}}')
    agent.raw(b'{"jsonrpc": "2.0", "method": "session/update", "params": 5}')
    agent.raw(b'{"jsonrpc": "2.0", "id": 1, "error": "no document"}')
    agent.raw(b'{"a":' * 100_000)
    agent.answer(4711, {"nobody": "asked"})
    agent.say(method="session/nonsense", params={})
    agent.update("never_heard_of", x=1)
    agent.update("never_heard_of", x=2)
    agent.update("tool_call", title="without an id")
    agent.update("agent_message_chunk", content=None)
    agent.say(id="fs", method="fs/read_text_file", params={"path": "/etc/passwd"})
    answer = agent.hear()
    agent.say(id="bad", method="session/request_permission", params={"options": []})
    other = agent.hear()
    agent.text(f"{answer['error']['code']} {other['error']['code']} \x1b[31mred\x1b[0m \x00 \ud800")


@scene
def much_noise(agent: Agent, _prompt: str) -> None:
    for number in range(2000):
        agent.raw(b"noise %d" % number)
    agent.text("Quiet.")


@scene
def long_line(agent: Agent, _prompt: str) -> None:
    """Five million characters, which are told; and a line of more than the limit, which is not."""
    agent.text("x" * 5_000_000)
    agent.begin("c1", "read", "read")
    agent.call("c1", status="completed", rawOutput={"output": "y" * 5_000_000})
    agent.text("z" * 17_000_000)
    agent.text("After it.")


@scene
def long_answer(agent: Agent, _prompt: str) -> dict[str, Any]:
    return {"stopReason": "end_turn", "_meta": {"x": "y" * 17_000_000}}


@scene
def flood(agent: Agent, prompt: str) -> None:
    line = json.dumps(
        {
            "jsonrpc": "2.0",
            "method": "session/update",
            "params": {
                "sessionId": agent.session,
                "update": {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "f" * 1000}},
            },
        }
    ).encode()
    for _ in range(int(prompt)):
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


@scene
def many_questions(agent: Agent, prompt: str) -> None:
    for number in range(int(prompt)):
        call = {"toolCallId": f"c{number}", "title": "bash", "kind": "execute", "rawInput": {"command": "true"}}
        params = {"sessionId": agent.session, "toolCall": call, "options": OPTIONS}
        agent.say(id=f"q{number}", method="session/request_permission", params=params)


@scene
def no_way_to_say_yes(agent: Agent, _prompt: str) -> None:
    agent.begin("c1")
    chosen = agent.ask("c1", [{"optionId": "no", "name": "No", "kind": "reject_once"}], rawInput={"command": "true"})
    agent.text(f"chosen: {chosen}")


@scene
def dies(agent: Agent, _prompt: str) -> None:
    agent.text("I am about to")
    agent.begin("c1")
    print("out of memory", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


@scene
def dies_asking(agent: Agent, _prompt: str) -> None:
    agent.begin("c1")
    call = {"toolCallId": "c1", "rawInput": {"command": "true"}}
    params = {"sessionId": agent.session, "toolCall": call, "options": OPTIONS}
    agent.say(id="q", method="session/request_permission", params=params)
    sys.exit(3)


@scene
def closes_its_output(agent: Agent, _prompt: str) -> None:
    os.close(1)
    time.sleep(60)


@scene
def refuses_the_prompt(agent: Agent, _prompt: str) -> None:
    agent.say(id=agent.prompt_id, error={"code": -32603, "message": "Internal error", "data": {"details": "API: 529"}})
    agent.until_cancelled()


@scene
def stops(agent: Agent, prompt: str) -> dict[str, Any]:
    return {"stopReason": prompt}


@scene
def ignores_cancel(agent: Agent, _prompt: str) -> None:
    agent.run("c1", "true")
    time.sleep(60)


@scene
def hangs(agent: Agent, _prompt: str) -> None:
    """A tool that never ends, with a child in a session of its own."""
    agent.begin("c1")
    command = "setsid tail -f /dev/null & echo $! > child.pid; echo $$ > tool.pid; tail -f /dev/null"
    if agent.ask("c1", rawInput={"command": command}) == "once":
        subprocess.run(["sh", "-c", command], check=False)


@scene
def held(agent: Agent, prompt: str) -> dict[str, Any]:
    """Runs a command that somebody has to release, then another, and heeds a cancel between them."""
    if prompt != "Do it.":
        agent.text(f"Going on: {prompt}")
        return {"stopReason": "end_turn"}
    agent.run("c1", "touch held; while [ ! -e release ]; do sleep 0.02; done")
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        if agent.was_cancelled():
            return {"stopReason": "cancelled"}
    agent.text("All the way.")
    return {"stopReason": "end_turn"}


def main() -> None:
    name, *options = sys.argv[1:]
    if name == "silent":
        time.sleep(60)
    elif name == "echo":
        for line in sys.stdin:
            print(line, end="", flush=True)
    elif name == "another_version":
        Agent.replies = lambda self: {"initialize": {"protocolVersion": 2}}
    elif name == "no_session":
        Agent.replies = lambda self: {"initialize": {"protocolVersion": 1}, "session/new": {}}
    elif name == "wants_a_sign_in":
        return wants_a_sign_in()
    Agent(SCENES.get(name, journey), can_load="no-load" not in options).serve()
    return None


def wants_a_sign_in() -> None:
    agent = Agent(journey)
    agent.heed(agent.hear() or {})
    message = agent.hear() or {}
    agent.say(id=message["id"], error={"code": -32000, "message": "Authentication required"})
    agent.serve()


if __name__ == "__main__":
    main()
