"""The demo's agent: a program that plays prepared stories, and speaks the JSON lines that Claude Code speaks.

It has no model, but what it does in the worktree is real: it edits files and runs commands. Run it with any
Python >= 3.11, alone: it uses the standard library only. The prompt comes on standard input.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import time
import tomllib
import unicodedata
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

STORIES = Path(__file__).parent / "stories"
MODEL = "demo-script"
#: Seconds for a person to follow, at pace 1.
PER_WORD_S = 0.05
PER_STEP_S = 2.0
COMMAND_S = 60

AFTER_REVIEW = "A person reviewed your work and asks for changes:"
AFTER_ERROR = "Your last run ended early"
GO_ON = "Go on where you stopped:"

Step = dict[str, Any]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--pace", type=float, default=1.0, help="1 is for watching, 0 without any pause")
    Script(Output(options.parse_args().pace)).play(sys.stdin.read().strip())


class Script:
    """Finds out what the prompt is about, and plays it."""

    def __init__(self, output: "Output") -> None:
        self.output = output
        self.slug = os.environ.get("AGENTPANE_BRANCH", "").rpartition("/")[2]
        found = STORIES / f"{self.slug}.toml"
        self.story: dict[str, Any] = tomllib.loads(found.read_text()) if self.slug and found.is_file() else {}

    def play(self, prompt: str) -> None:
        prompt = without_retries(prompt)
        self.output.begin(prompt)
        if AFTER_REVIEW in prompt:
            self._revise(prompt.rpartition(AFTER_REVIEW)[2].strip(), "I'll make the change you asked for.")
        elif said := self._said_later(prompt):
            self._revise(said, "I'll take that in.")
        elif not self.story:
            self._note(prompt)
        elif "stumble" in self.story and not Path(self.story["stumble_leaves"]).exists():
            self._stumble()
        else:
            self._tell()

    def _said_later(self, prompt: str) -> str:
        """What a person added to the task, which is told again before it; empty for the task alone."""
        if self.slug and slug(prompt.partition("\n")[0]) != self.slug:
            return prompt
        task = f"{self.story['title']}\n\n{self.story['description'].strip()}" if self.story else prompt
        return prompt.removeprefix(task).strip() if prompt.startswith(task) else ""

    def _tell(self) -> None:
        self._do(self.story["steps"])
        self.output.end(self.story["done"].strip())

    def _stumble(self) -> None:
        self._do(self.story["stumble"])
        print(self.story["stumble_says"], file=sys.stderr)
        sys.exit(3)

    def _revise(self, reason: str, opening: str) -> None:
        record = Path(f"changes/{self.slug}.md" if self.story else f"notes/{self.slug or 'task'}.md")
        first_time = record.is_file() and "Asked for:" not in record.read_text()
        said = " ".join(reason.split())
        self._do([{"say": f"{opening}\n\n> {said}"}, {"tool": "Read", "file_path": str(record)}])
        if first_time:
            self._do(self.story.get("revision", []))
        line = f"  Asked for: “{said}”\n"
        content = (record.read_text() if record.is_file() else "- A change.\n") + line
        self._do([
            {"say": "What was asked for belongs to the record of this change.", "tool": "Write",
             "file_path": str(record), "content": content},
            *([{"tool": "Bash", "command": "python3 -m unittest"}] if Path("tests").is_dir() else []),
            {"tool": "Bash", "command": "git diff --stat"},
        ])  # fmt: skip
        known = first_time and "revision" in self.story
        did = (
            "made the change that is prepared for this task, and" if known else "have no change prepared for this, so I"
        )
        self.output.end(f"You asked for:\n\n> {said}\n\nI {did} noted your words in `{record}`.")

    def _note(self, prompt: str) -> None:
        title, _, rest = prompt.partition("\n")
        record = f"notes/{self.slug or 'task'}.md"
        content = f"# {title}\n\n{rest.strip()}\n\nTo be done by an agent with a model.\n".replace("\n\n\n\n", "\n\n")
        self._do([
            {"say": "I'm the demo's script and know only the prepared tasks. I'll look around, and leave a note.",
             "tool": "Bash", "command": "git ls-files"},
            {"tool": "Write", "file_path": record, "content": content},
            {"tool": "Bash", "command": "git status --short"},
        ])  # fmt: skip
        self.output.end(f"I wrote down what is to be done in `{record}`. An agent with a model would do it.")

    def _do(self, steps: list[Step]) -> None:
        for step in steps:
            self.output.turn(step.get("say", ""))
            if name := step.get("tool"):
                given = {key: value for key, value in step.items() if key not in ("say", "tool")}
                self.output.call(name, given)
                text, failed = use_tool(name, given)
                self.output.answer(text, failed)


def use_tool(name: str, given: dict[str, str]) -> tuple[str, bool]:
    """Really do it; the text that comes back, and whether it failed."""
    try:
        return TOOLS[name](**given)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return str(error), True


def read(file_path: str) -> tuple[str, bool]:
    lines = Path(file_path).read_text().splitlines()
    return "\n".join(f"{number:6}\t{line}" for number, line in enumerate(lines, start=1)), False


def write(file_path: str, content: str) -> tuple[str, bool]:
    path = Path(file_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return f"{file_path} is written.", False


def edit(file_path: str, old_string: str, new_string: str) -> tuple[str, bool]:
    text = Path(file_path).read_text()
    if text.count(old_string) != 1:
        return f"The text to replace is not in {file_path} exactly once.", True
    Path(file_path).write_text(text.replace(old_string, new_string))
    return f"{file_path} is changed.", False


def grep(pattern: str) -> tuple[str, bool]:
    found = [
        f"{path}:{number}:{line}"
        for path in sorted(Path().rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(pattern, line)
    ]
    return "\n".join(found) or "No line matches.", False


def bash(command: str) -> tuple[str, bool]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        shlex.split(command), capture_output=True, text=True, timeout=COMMAND_S, check=False,
        stdin=subprocess.DEVNULL, env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    printed = (done.stdout + done.stderr).strip()
    return (f"Exit code {done.returncode}\n{printed}", True) if done.returncode else (printed, False)


TOOLS: dict[str, Callable[..., tuple[str, bool]]] = {
    "Read": read,
    "Write": write,
    "Edit": edit,
    "Grep": grep,
    "Bash": bash,
}


class Output:
    """Standard output in the words of Claude Code, at a pace that a person can follow."""

    def __init__(self, pace: float) -> None:
        self.pace = pace
        # The same task is the same conversation.
        self.session_id = str(uuid.uuid5(uuid.NAMESPACE_OID, os.environ.get("AGENTPANE_TASK_ID", "")))
        self.message_id = self.call_id = ""
        self.turns = 0
        self.words_in = self.words_out = 0

    def begin(self, prompt: str) -> None:
        self.words_in += len(prompt.split())
        self._print({"type": "system", "subtype": "init", "cwd": str(Path.cwd()), "model": MODEL, "tools": list(TOOLS)})

    def turn(self, text: str) -> None:
        """A new answer of the model, word by word where it has words."""
        self.turns += 1
        self.message_id = f"msg_{uuid.uuid4().hex}"
        if text:
            self._stream(text)
            self._assistant({"type": "text", "text": text})

    def call(self, name: str, given: dict[str, str]) -> None:
        self.call_id = f"toolu_{uuid.uuid4().hex}"
        self.words_out += len(json.dumps(given).split())
        self._assistant({"type": "tool_use", "id": self.call_id, "name": name, "input": given})
        self._pause(PER_STEP_S / 2)

    def answer(self, text: str, failed: bool) -> None:
        self.words_in += len(text.split())
        result = {"type": "tool_result", "tool_use_id": self.call_id, "content": text, "is_error": failed}
        self._print({"type": "user", "message": {"role": "user", "content": [result]}})
        self._pause(PER_STEP_S)

    def end(self, text: str) -> None:
        """The last answer, and the counts: there is no model, so words stand for tokens."""
        self.turn(text)
        self._print({
            "type": "result", "subtype": "success", "is_error": False, "num_turns": self.turns, "result": text,
            "total_cost_usd": 0.0, "usage": {"input_tokens": self.words_in, "output_tokens": self.words_out},
        })  # fmt: skip

    def _stream(self, text: str) -> None:
        self._event({"type": "message_start", "message": {"id": self.message_id}})
        for piece in re.findall(r"\s*\S+\s*", text):
            self._event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}})
            self.words_out += 1
            self._pause(PER_WORD_S)

    def _event(self, event: dict[str, Any]) -> None:
        self._print({"type": "stream_event", "event": event})

    def _assistant(self, block: dict[str, Any]) -> None:
        message = {"id": self.message_id, "role": "assistant", "model": MODEL, "content": [block]}
        self._print({"type": "assistant", "message": message})

    def _print(self, line: dict[str, Any]) -> None:
        print(json.dumps(line | {"session_id": self.session_id}), flush=True)

    def _pause(self, seconds: float) -> None:
        time.sleep(seconds * self.pace)


def without_retries(prompt: str) -> str:
    """What was asked before a run ended early."""
    while prompt.startswith(AFTER_ERROR) and GO_ON in prompt:
        prompt = prompt.partition(GO_ON)[2].strip()
    return prompt


def slug(title: str) -> str:
    """A title as the last part of a task's branch has it."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:48].rstrip("-") or "task"


if __name__ == "__main__":
    main()
