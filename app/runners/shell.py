"""What a shell command could run, for rules that ask or refuse. In doubt it is more than what really runs.

Each command comes as a text of its words with one space between them, as the program would be given them: without
quotes, assignments and redirections. What nobody knows before it runs (`$HOME`, `$(…)`, `*.py`) is `ANYTHING` there.
"""

import re
from collections.abc import Iterator

from app.runners.wildcards import ANY_WORD, ANYTHING
from app.runners.words import Command, NotUnderstood, commands_in

_MORE_THAN_ONE_COMMAND = re.compile(r"[;&|<>`\n]|\$\(")
_ASSIGNMENT = re.compile(r"\w+\+?=")
#: They run what they are told as a text: any argument of theirs may be one, or what they read from their input.
_SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "fish", "ash", "busybox", "eval", "ssh", "su", "watch", "script", "trap"}
#: They run the words that follow, somewhere after their own options.
_WRAPPERS = {
    "env", "sudo", "doas", "nohup", "timeout", "time", "nice", "ionice", "setsid", "stdbuf", "chroot", "flock", "exec",
    "command", "builtin", "coproc", "xargs", "find", "parallel", "strace", "unshare", "nsenter", "bwrap",
}  # fmt: skip
#: Words of the shell's own before a command.
_KEYWORDS = {"if", "then", "elif", "else", "while", "until", "do", "!"}
#: After these the same words may mean other programs.
_RENAMES = {"alias", "source", "."}
#: How many shells within shells are looked into, and how many readings of a command are told apart.
_DEEPEST = 4
_MOST = 200


def is_plain(command: str) -> bool:
    """Whether it is surely one command, in which nothing else is run."""
    return not _MORE_THAN_ONE_COMMAND.search(command)


def commands_of(command: str) -> set[str] | None:
    """Every command in it, and the whole as it is written; None when that cannot be told surely."""
    found = {command.strip()}
    try:
        for text in _in_text(command, _DEEPEST):
            found.add(text)
            if len(found) > _MOST:
                return None
    except (NotUnderstood, RecursionError):
        return None
    return found


def _in_text(text: str, depth: int) -> Iterator[str]:
    if not depth:
        raise NotUnderstood
    for command in commands_in(text):
        for inner in command.texts:
            yield from _in_text(inner, depth - 1)
        yield from _readings(command, depth)


def _readings(command: Command, depth: int) -> Iterator[str]:
    """The ways in which one command may be meant."""
    words = command.words
    yield " ".join(words)
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in _KEYWORDS):
        words = words[1:]
    if not words:
        return
    program, arguments = words[0].rpartition("/")[2], words[1:]
    yield " ".join([program, *arguments])
    yield from (" ".join([program, *rest]) for rest in _without_options(arguments))
    if program in _RENAMES or ANYTHING in program or ANY_WORD in program:
        raise NotUnderstood
    if program in _SHELLS:
        yield from _in_shell(arguments, command.input, depth)
    if program in _WRAPPERS:
        for start in range(len(arguments)):
            yield from _readings(Command(arguments[start:], input=command.input), depth)


def _without_options(words: list[str]) -> Iterator[list[str]]:
    """`-C folder push` may mean `push`: options before the first argument, and what belongs to them, left out."""
    for start in range(1, len(words)):
        if not any(word.startswith("-") for word in words[max(0, start - 2) : start]):
            return
        yield words[start:]


def _in_shell(arguments: list[str], given: list[str], depth: int) -> Iterator[str]:
    if not given and all(word.startswith("-") for word in arguments):
        raise NotUnderstood  # It reads what to run from somewhere else.
    for text in (" ".join(arguments), *arguments, *given):
        yield from _in_text(text, depth - 1)
