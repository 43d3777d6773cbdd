"""What the scripted model does, step by step. A prompt names its scenario with `SCENARIO:<name>`.

Every step is one answer of the model; a list of steps is one answer with several tool calls. `{prompt}` in a file's
content is replaced by the prompt that is being answered. After the last step the model repeats it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class Write:
    name: str
    content: str


@dataclass(frozen=True)
class Edit:
    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Read:
    name: str


@dataclass(frozen=True)
class Bash:
    command: str


@dataclass(frozen=True)
class Call:
    """Any tool, with exactly that input."""

    tool: str
    input: tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class SlowText:
    """Many words, each after a pause."""

    words: int
    pause_s: float


@dataclass(frozen=True)
class Hang:
    """Begin to answer, keep the connection alive, and never go on."""

    seconds: float


@dataclass(frozen=True)
class HttpError:
    status: int
    message: str = ""


@dataclass(frozen=True)
class Drop:
    """Close the connection without an answer."""


Step = Say | Write | Edit | Read | Bash | Call | SlowText | Hang | HttpError | Drop
Steps = tuple[Step | list[Step], ...]

_WRITE_HELLO = (Write("hello.txt", "hello from the scripted model\n"), Bash("git status --short || ls"))
_QUOTE_PROMPT = (Write("second.txt", "I was asked: {prompt}\n"), Say("Done again: wrote second.txt."))
_TAGS = (Bash("echo one >> tags.txt"), Bash("echo two >> tags.txt"), Say("Tagged."))
_TOO_LONG = HttpError(400, "prompt is too long: 214003 tokens > 200000 maximum")

#: What is done for the first prompt of a conversation that names the scenario.
SCENARIOS: dict[str, Steps] = {
    # The main journey: a file and a command, then, after a rejection, a second file that quotes the reason.
    "journey": (*_WRITE_HELLO, Say("All done: wrote hello.txt.")),
    # The same, held at its command until somebody makes the file `release`: a run to watch while it goes on.
    "held": (
        Write("hello.txt", "hello from the scripted model\n"),
        Bash("touch held; while [ ! -e release ]; do sleep 0.05; done; rm release held; echo released"),
        Say("All done: wrote hello.txt."),
    ),
    # A command for which somebody may have to be asked, and one more of its kind.
    "tags": _TAGS,
    # The same in a conversation that goes on, where it does all of it once more.
    "twice": _TAGS,
    # The same second part for a reason that names it itself.
    "rework": _QUOTE_PROMPT,
    "plain": (Say("Just text."),),
    "edit": (
        Write("hello.txt", "hello one\n"),
        Read("hello.txt"),
        Edit("hello.txt", "hello one", "hello two"),
        Say("Edited."),
    ),
    "parallel": ([Bash("sleep 0.3; echo a"), Bash("sleep 0.3; echo b"), Bash("exit 3")], Say("All three ended.")),
    "fail": (Bash("echo oops >&2; exit 7"), Say("It failed.")),
    # A tool that never ends, with a child in a session of its own; the pid files show that both run.
    "forever": (
        Bash("setsid tail -f /dev/null & echo $! > child.pid; echo $$ > tool.pid; tail -f /dev/null"),
        Say("Not reached."),
    ),
    "loop": (Bash("echo once more"),),
    "env": (Bash("env | sort > env.txt"), Say("Wrote env.txt.")),
    "outside": (Write("/tmp/agentpane-outside.txt", "not here\n"), Say("I tried.")),
    "forbidden": (Call("WebFetch", (("url", "http://127.0.0.1/"), ("prompt", "x"))), Say("I was not allowed.")),
    # A script of the repository, its work committed by the agent itself, and a second part in the same conversation.
    "inside": (
        Bash("sh look.sh > look.txt 2>&1; echo looked"),
        Bash("git add -A && git -c user.name=Claude -c user.email=claude@localhost commit -qm 'Committed inside'"),
        Say("Committed."),
    ),
    "nothing": (Say("There is nothing to do."),),
    "slowtext": (SlowText(100, 0.1),),
    "hang": (Hang(300),),
    "drop": (Drop(),),
    # A conversation that the model takes no more of once it is asked a second time.
    "outgrown": (*_WRITE_HELLO, Say("All done: wrote hello.txt.")),
    "toolong": (_TOO_LONG,),
    **{f"http{status}": (HttpError(status),) for status in (400, 401, 429, 500, 529)},
}

#: What is done for a later prompt of the same conversation that names no scenario.
FOLLOW_UPS: dict[str, Steps] = {
    "tags": (Bash("echo one >> tags.txt"), Say("Tagged after all.")),
    "twice": _TAGS,
    "journey": _QUOTE_PROMPT,
    "held": _QUOTE_PROMPT,
    "forever": _QUOTE_PROMPT,
    "inside": _QUOTE_PROMPT,
    "outgrown": (_TOO_LONG,),
}
