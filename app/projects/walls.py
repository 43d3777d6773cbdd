"""Whether programs of a project run in a sandbox: what the server's environment, the project and an agent say."""

from typing import Literal

from msgspec import Struct

from app.processes.sandbox import available
from app.projects.rows import ProjectConfig
from app.settings import SandboxMode


class Standing(Struct, frozen=True):
    """What holds for the next program."""

    mode: SandboxMode
    has_walls: bool
    #: Why there is none, as a whole sentence; empty where there is one.
    warning: str = ""


def standing(server: SandboxMode, project: ProjectConfig, agent: Literal["", "required"] = "") -> Standing:
    """Whoever demands a sandbox has it so. Beyond that the project decides for itself, and no agent is let out."""
    chosen = "required" if "required" in (server, project.sandbox, agent) else project.sandbox or server
    if chosen == "off":
        where = "this project's settings" if project.sandbox == "off" else "AGENTPANE_SANDBOX"
        return Standing("off", has_walls=False, warning=f"No sandbox: it is turned off in {where}.")
    found = available()
    warning = "" if found.program else f"No sandbox: {found.why_not}."
    return Standing(chosen, bool(found.program), warning)
