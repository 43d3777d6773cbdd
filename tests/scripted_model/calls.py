"""A step as a call of one of the tools that a request offers, in that program's own words."""

from typing import Any

from tests.scripted_model.requests import Asked
from tests.scripted_model.scenarios import Bash, Call, Edit, Read, Step, Write

#: What the tool is called by the programs that we know; Claude Code's name comes first, for requests without names.
_NAMES: dict[type, tuple[str, ...]] = {
    Write: ("Write", "write", "write_file"),
    Edit: ("Edit", "edit", "replace"),
    Read: ("Read", "read", "read_file"),
    Bash: ("Bash", "bash", "run_shell_command", "exec_command", "shell_command", "shell"),
}
_PATH = ("file_path", "filePath", "path", "absolute_path")
_OLD, _NEW = ("old_string", "oldString"), ("new_string", "newString")


def call_of(step: Step, asked: Asked) -> tuple[str, dict[str, Any]]:
    """The tool's name and its input. What a program has no tool for it does in its shell."""
    if isinstance(step, Call):
        return step.tool, dict(step.input)
    offered = next((name for name in _NAMES[type(step)] if name in asked.tools), None)
    if offered is None and asked.tools and not isinstance(step, Bash):
        return call_of(_in_shell(step, asked), asked)
    tool = offered or _NAMES[type(step)][0]
    return tool, _input(step, asked, asked.tools.get(tool) or set())


def _input(step: Step, asked: Asked, known: set[str]) -> dict[str, Any]:
    def key(names: tuple[str, ...]) -> str:
        return next((name for name in names if name in known), names[0])

    def path(name: str) -> str:
        return f"{asked.cwd}/{name}" if asked.cwd and not name.startswith("/") else name

    match step:
        case Write(name, content):
            return {key(_PATH): path(name), "content": content.replace("{prompt}", asked.prompt)}
        case Edit(name, old, new):
            return {key(_PATH): path(name), key(_OLD): old, key(_NEW): new}
        case Read(name):
            return {key(_PATH): path(name)}
        case Bash(command) if "cmd" in known:
            return {"cmd": command}
        case Bash(command):
            return {
                "command": command,
                **({"description": "Run a command"} if "description" in known or not known else {}),
            }
    raise TypeError(step)


def _in_shell(step: Step, asked: Asked) -> Bash:
    match step:
        case Write(name, content):
            text = content.replace("{prompt}", asked.prompt)
            return Bash(f"cat > '{name}' <<'END OF FILE'\n{text}END OF FILE")
        case Edit(name, old, new):
            return Bash(f"sed -i 's/{old}/{new}/' '{name}'")
        case Read(name):
            return Bash(f"cat '{name}'")
    raise TypeError(step)
