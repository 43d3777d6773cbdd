"""The settings that more than one may say: what each is called, its limits, and what makes it less."""

from typing import Literal

from msgspec import Struct

#: How a repository that is not trusted may change a setting: to a smaller number, to fewer tools, to a sandbox that is
#: demanded, or not at all.
Narrowing = Literal["least", "tools", "required", "never"]


class Setting(Struct, frozen=True, kw_only=True):
    """One of them; `least` and `most` are the limits of a number."""

    key: str
    label: str
    unit: str = ""
    narrowing: Narrowing = "least"
    least: int = 1
    most: int = 0
    #: What a program that is started as a plain command hears of it, where that is not all.
    of_commands: str = ""


_NOT_TOLD = "A command is not told."
_WHERE_IT_ASKS = "Of a command, for calls that it asks for."
SETTINGS = (
    Setting(key="model", label="Model", narrowing="never", of_commands=_NOT_TOLD),
    Setting(key="maxTurns", label="Turns per run", most=1000, of_commands=_NOT_TOLD),
    Setting(key="allowedTools", label="Allowed tools", narrowing="tools", of_commands=_WHERE_IT_ASKS),
    Setting(key="timeoutMinutes", label="Time per run", unit="min", most=10_080),
    Setting(key="idleTimeoutMinutes", label="Silence", unit="min", most=1440),
    Setting(key="sandbox", label="Sandbox", narrowing="required"),
    Setting(key="memoryLimitMb", label="Memory", unit="MiB", least=256, most=4_194_304),
    Setting(key="processLimit", label="Processes", least=10, most=100_000),
    Setting(key="fileLimitMb", label="Largest file", unit="MiB", most=4_194_304),
)
BY_KEY = {setting.key: setting for setting in SETTINGS}
