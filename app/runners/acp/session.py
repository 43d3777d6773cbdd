"""Open a conversation with a program: greet it, begin or go on with a session, set mode and model."""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from app import __version__
from app.runners.acp import manners
from app.runners.base import Notice, RunSpec

if TYPE_CHECKING:
    from acp.connection import Connection


class NotSpoken(Exception):
    """What the program answers is not the protocol that we speak."""


class Session(Struct, frozen=True, kw_only=True):
    """A conversation that is open."""

    id: str
    #: The program, as it calls itself.
    program: str
    model: str | None = None
    #: Whether it can go on with the conversation in another process.
    can_resume: bool = False
    #: What every prompt of a new conversation begins with.
    preamble: str = ""
    notices: tuple[Notice, ...] = ()


async def open_session(connection: "Connection", spec: RunSpec, tools: list[str]) -> Session:
    """Begin, or go on with `spec.resume`; a conversation that the program does not know begins afresh.

    Raises `NotSpoken`, the library's `RequestError`, or ConnectionError when the program is gone.
    """
    greeting = await _greet(connection)
    capabilities = _dict(greeting.get("agentCapabilities"))
    within = _dict(capabilities.get("sessionCapabilities"))
    about: dict[str, Any] = {"cwd": str(spec.cwd), "mcpServers": [], "_meta": manners.session_notes(spec, tools)}
    takes_system = "systemPrompt" in within
    if spec.system_prompt and takes_system:
        text = {"type": "text", "text": spec.system_prompt}
        about["systemPrompt"] = {"mode": "append", "content": [text]}
    how = "session/load" if capabilities.get("loadSession") else "session/resume" if "resume" in within else None
    opened, notices = await _open(connection, spec, about, how)
    session_id = str(opened["sessionId"])
    notices += await _set_mode(connection, session_id, opened.get("modes"))
    model, more = await _set_model(connection, session_id, opened.get("configOptions"), spec.model)
    is_new = session_id != spec.resume
    info = _dict(greeting.get("agentInfo"))
    return Session(
        id=session_id,
        program=str(info.get("name") or spec.command[0])[:80],
        model=model,
        can_resume=how is not None,
        preamble=spec.system_prompt or "" if is_new and not takes_system else "",
        notices=(*notices, *more),
    )


async def _greet(connection: "Connection") -> dict[str, Any]:
    from acp.meta import PROTOCOL_VERSION

    greeting = await connection.send_request(
        "initialize",
        {
            "protocolVersion": PROTOCOL_VERSION,
            # It reads, writes and runs by itself, where our guard and its sandbox see it.
            "clientCapabilities": {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
            "clientInfo": {"name": "agentpane", "title": "AgentPane", "version": __version__},
        },
    )
    if not isinstance(greeting, dict) or greeting.get("protocolVersion") != PROTOCOL_VERSION:
        version = _dict(greeting).get("protocolVersion")
        raise NotSpoken(f"It speaks version {version!s:.20} of the protocol, and AgentPane speaks {PROTOCOL_VERSION}.")
    return greeting


async def _open(
    connection: "Connection", spec: RunSpec, about: dict[str, Any], how: str | None
) -> tuple[dict[str, Any], list[Notice]]:
    from acp.exceptions import RequestError

    notices = []
    if spec.resume and how:
        try:
            opened = await connection.send_request(how, {**about, "sessionId": spec.resume})
            return {**_dict(opened), "sessionId": spec.resume}, []
        except RequestError:
            text = "The earlier conversation is not known any more on this machine; the agent starts afresh."
            notices = [Notice(text=text, level="warning")]
    elif spec.resume:
        text = "This program cannot go on with an earlier conversation; the agent starts afresh."
        notices = [Notice(text=text, level="warning")]
    opened = await connection.send_request("session/new", about)
    if not isinstance(opened, dict) or not isinstance(opened.get("sessionId"), str):
        raise NotSpoken("It opened a session without telling its id.")
    return opened, notices


async def _set_mode(connection: "Connection", session_id: str, modes: Any) -> list[Notice]:
    mode, warning = manners.asking_mode(modes)
    if mode is not None:
        await connection.send_request("session/set_mode", {"sessionId": session_id, "modeId": mode})
    return [Notice(text=warning, level="warning")] if warning else []


async def _set_model(
    connection: "Connection", session_id: str, options: Any, wanted: str | None
) -> tuple[str | None, list[Notice]]:
    """The model that answers, as far as the program tells, and a word where the wanted one is not to be had."""
    listed = [_dict(each) for each in options] if isinstance(options, list) else []
    option = next((each for each in listed if each.get("category") == "model"), {})
    current = option.get("currentValue")
    if wanted is None or wanted == current:
        return current, []
    if wanted in _values(option.get("options")):
        given = {"sessionId": session_id, "configId": option["id"], "value": wanted}
        await connection.send_request("session/set_config_option", given)
        return wanted, []
    text = f"The program does not offer the model {wanted}; it uses {current or 'its own'}."
    return current, [Notice(text=text, level="warning")]


def _values(options: Any) -> set[str]:
    """Of a choice whose options may stand in groups."""
    found: set[str] = set()
    for option in options if isinstance(options, list) else []:
        found |= _values(_dict(option).get("options")) | {str(_dict(option).get("value"))}
    return found


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
