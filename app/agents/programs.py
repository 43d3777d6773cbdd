"""Which agent programs are on this machine: those that are known, and the one behind an agent."""

from collections.abc import Mapping
from pathlib import PurePath

from app.agents.rows import AgentConfig
from app.agents.views import Offer, Program
from app.runners.base import Availability
from app.runners.hooked import is_known
from app.runners.presets import PRESETS, Preset, preset_of
from app.runners.presets.signing_in import look_for
from app.runners.presets.versions import PATIENCE_S, versions
from app.runners.registry import RUNNERS

#: How far allowed tools and rules reach, where it is a command.
_ASKS = "This program asks before each of its calls, so that allowed tools and rules hold for them."
_MAY_ASK = (
    "Allowed tools and rules do not reach this command, unless it asks by itself: with the program that AGENTPANE_ASK"
    " names in its environment."
)


def reach_of(config: AgentConfig) -> str:
    """One sentence on what allowed tools and rules hold for; empty where that is every call."""
    if config.runner != "command":
        return ""
    return _ASKS if is_known(config.command) else _MAY_ASK


async def offers_in(environment: Mapping[str, str], patience_s: float = PATIENCE_S) -> tuple[Offer, ...]:
    """Every known program as an agent with `environment` would find it, those that are installed first."""
    found = [(preset, RUNNERS[preset.runner].availability(environment, preset.words)) for preset in PRESETS]
    told = await versions([each.program for _, each in found], environment, patience_s)
    offers = [_offer(preset, each, told.get(each.program, ""), environment) for preset, each in found]
    return tuple(sorted(offers, key=lambda offer: not offer.is_installed))


async def program_of(config: AgentConfig, environment: Mapping[str, str]) -> Program:
    """The program that a run with this configuration would start in `environment`."""
    runner = RUNNERS.get(config.runner)
    if runner is None:
        return Program(missing="This version has no such runner. Choose another one below.")
    found = runner.availability(environment, config.command)
    preset = preset_of(config.runner, config.command)
    # Of programs that are not known nobody can tell what they do with an option.
    told = await versions([found.program], environment) if preset else {}
    sign_in = look_for(preset.sign_in, environment) if preset else None
    return Program(
        name=PurePath(found.program).name,
        path=found.program,
        version=told.get(found.program) or found.version,
        missing="" if found.ready else found.missing,
        install=(found.install or preset.install) if preset and not found.program else "",
        sign_in=sign_in.text if sign_in and found.program else "",
        is_signed_in=bool(sign_in and sign_in.is_found),
    )


def _offer(preset: Preset, found: Availability, version: str, environment: Mapping[str, str]) -> Offer:
    sign_in = look_for(preset.sign_in, environment)
    return Offer(
        id=preset.id,
        name=preset.name,
        runner=preset.runner,
        command=preset.command,
        is_installed=bool(found.program),
        path=found.program,
        version=version if found.program else "",
        install=found.install or preset.install,
        sign_in=sign_in.text,
        is_signed_in=sign_in.is_found,
    )
