"""Give a known program the hook that asks before each of its calls, by its own options."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any

import msgspec
from msgspec import Struct

from app.runners.hook_calls import Reads
from app.runners.hooks import ASK

#: Seconds a program waits for its hook: longer than anybody is asked.
WAIT_S = 8 * 24 * 3600
_SETTINGS = "--settings"
#: How Codex calls the first hook of its command line.
_CODEX_HOOK = "/<session-flags>/config.toml:pre_tool_use:0:0"


class Hooked(Struct, frozen=True, kw_only=True):
    """How to start a program. `is_known`: it has the hook, in its own language."""

    argv: list[str]
    env: dict[str, str]
    is_known: bool = False
    reads: Reads = "both"
    #: Why a program that could have the hook has none.
    warning: str = ""


def is_known(argv: Sequence[str]) -> bool:
    """Whether the program takes the hook, so that it asks before each call."""
    return bool(argv) and any(each.knows(argv) for each in _PROGRAMS)


class CannotJoin(Exception):
    """What the command line already says leaves no place for the hook."""


def hooked(argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> Hooked:
    """`argv` and `env` with the hook that `env` names, where the program is known to take one."""
    plain = Hooked(argv=list(argv), env=dict(env))
    program = next((each for each in _PROGRAMS if each.knows(argv)), None)
    if program is None:
        return plain
    try:
        more = program.add(argv, env[ASK], cwd)
    except CannotJoin as why:
        text = f"{why} So this program cannot ask: neither allowed tools nor rules reach it."
        return msgspec.structs.replace(plain, warning=text)
    return Hooked(argv=more, env=dict(env), is_known=True, reads=program.reads)


class Program(Struct, frozen=True):
    """One that takes a hook."""

    knows: Callable[[Sequence[str]], bool]
    add: Callable[[Sequence[str], str, Path], list[str]]
    reads: Reads


def _is_claude(argv: Sequence[str]) -> bool:
    return PurePath(argv[0]).name == "claude" and any(word in ("-p", "--print") for word in argv)


def _claude(argv: Sequence[str], ask: str, cwd: Path) -> list[str]:
    rest, given = _without_settings(argv[1:], cwd)
    hook = {"matcher": "*", "hooks": [{"type": "command", "command": shlex.quote(ask), "timeout": WAIT_S}]}
    hooks = given.get("hooks", {})
    if not isinstance(hooks, dict) or not isinstance(hooks.get("PreToolUse", []), list):
        raise CannotJoin("The settings of its command line have hooks of another shape.")
    hooks = {**hooks, "PreToolUse": [hook, *hooks.get("PreToolUse", [])]}
    # Settings of the repository, which an agent may write, could turn hooks off; these come before them.
    settings = {**given, "disableAllHooks": False, "hooks": hooks}
    return [argv[0], _SETTINGS, msgspec.json.encode(settings).decode(), *rest]


def _without_settings(words: Sequence[str], cwd: Path) -> tuple[list[str], dict[str, Any]]:
    """The words without the settings that a person gave, and these, from the text itself or the file it names."""
    rest, given = [], {}
    words = list(words)
    while words:
        word = words.pop(0)
        if word == _SETTINGS and words:
            given = _settings(words.pop(0), cwd)
        elif word.startswith(f"{_SETTINGS}="):
            given = _settings(word.partition("=")[2], cwd)
        else:
            rest.append(word)
    return rest, given


def _settings(text: str, cwd: Path) -> dict[str, Any]:
    try:
        source = text.encode() if text.lstrip().startswith("{") else (cwd / text).read_bytes()
        return msgspec.json.decode(source, type=dict[str, Any])
    except (OSError, ValueError) as error:
        raise CannotJoin(f"The settings of its command line cannot be read: {error}.") from None


def _is_codex(argv: Sequence[str]) -> bool:
    return PurePath(argv[0]).name == "codex" and "exec" in argv


def _codex(argv: Sequence[str], ask: str, _cwd: Path) -> list[str]:
    place = list(argv).index("exec") + 1
    if any("hooks" in word for word in argv):
        raise CannotJoin("Its command line speaks of hooks already.")
    handler = {"type": "command", "command": shlex.quote(ask), "timeout": WAIT_S}
    # It runs no hook that nobody has looked at. The hash says of this one, and of no other, that somebody has.
    looked_at = {"event_name": "pre_tool_use", "matcher": "*", "hooks": [{**handler, "async": False}]}
    trusted = sha256(msgspec.json.encode(looked_at, order="sorted")).hexdigest()
    command = msgspec.json.encode(handler["command"]).decode()
    hook = f'{{type="command",command={command},timeout={WAIT_S}}}'
    settings = (
        "features.hooks=true",
        f'hooks.PreToolUse=[{{matcher="*",hooks=[{hook}]}}]',
        f'hooks.state={{"{_CODEX_HOOK}"={{trusted_hash="sha256:{trusted}"}}}}',
    )
    return [*argv[:place], *(word for each in settings for word in ("-c", each)), *argv[place:]]


#: Who takes a hook, and how.
_PROGRAMS = (Program(_is_claude, _claude, "document"), Program(_is_codex, _codex, "code"))
