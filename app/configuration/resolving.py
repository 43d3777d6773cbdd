"""From what each says to what holds. No input, no output: the same words give the same configuration.

A later layer counts before an earlier one: default, server, project, repository, agent, task. The repository counts so
only where the project trusts it. Where it does not, it comes last and can only make less of what the others say.
"""

from collections.abc import Sequence

from app.configuration.narrowing import narrowed
from app.configuration.settings import SETTINGS
from app.configuration.sources import (
    TEMPLATES,
    Configuration,
    Kind,
    Layer,
    Other,
    Prompt,
    RuleKind,
    SaidRule,
    Value,
)

_ORDER: tuple[Kind, ...] = ("default", "server", "project", "repository", "agent", "task")
_KINDS: tuple[RuleKind, ...] = ("deny", "ask", "allow")
_UNTRUSTED = "is ignored: only people allow here, as the project does not trust its repository"


def resolve(layers: Sequence[Layer], *, trusted: bool) -> Configuration:
    """What holds. The layers may come in any order; each setting must be said by one of them at least."""
    said = sorted(layers, key=lambda layer: _ORDER.index(layer.source.kind))
    return Configuration(
        values=tuple(_value(setting.key, said, trusted) for setting in SETTINGS),
        rules=tuple(rule for kind in _KINDS for rule in _rules(kind, said, trusted)),
        prompts=tuple(_prompts(said)),
        trusted=trusted,
    )


def _value(key: str, layers: Sequence[Layer], trusted: bool) -> Value:
    speaking = [layer for layer in layers if key in layer.values]
    free = [layer for layer in speaking if trusted or layer.source.kind != "repository"]
    value = _required(free) if key == "sandbox" else _last(key, free)
    for layer in speaking:
        if layer not in free:
            value = _less(value, layer)
    return value


def _last(key: str, layers: Sequence[Layer]) -> Value:
    *earlier, last = layers
    others = tuple(Other(layer.values[key], layer.source) for layer in reversed(earlier))
    return Value(key, last.values[key], last.source, others)


def _required(layers: Sequence[Layer]) -> Value:
    """Whoever demands a sandbox has it so, whatever comes after."""
    demanding = next((layer for layer in layers if layer.values["sandbox"] == "required"), layers[-1])
    others = tuple(
        Other(layer.values["sandbox"], layer.source, "" if layers.index(layer) < layers.index(demanding) else _LET_OUT)
        for layer in reversed(layers)
        if layer is not demanding
    )
    return Value("sandbox", demanding.values["sandbox"], demanding.source, others)


_LET_OUT = "is ignored: a sandbox that is demanded is not taken away"


def _less(value: Value, repository: Layer) -> Value:
    asked = repository.values[value.key]
    found = narrowed(value.key, value.said, asked)
    cut = () if found.left_out is None else (Other(found.left_out, repository.source, found.why),)
    if found.holds == value.said:
        return Value(value.key, value.said, value.source, (*value.others, *cut))
    before = Other(value.said, value.source)
    return Value(value.key, found.holds, repository.source, (before, *value.others, *cut))


def _rules(kind: RuleKind, layers: Sequence[Layer], trusted: bool) -> list[SaidRule]:
    """Those that ask and refuse add up, whoever says them; those that allow are a person's to say."""
    why = _UNTRUSTED if kind == "allow" and not trusted else ""
    return [
        SaidRule(kind, text, layer.source, why if layer.source.kind == "repository" else "")
        for layer in layers
        for text in getattr(layer.rules, kind)
    ]


def _prompts(layers: Sequence[Layer]) -> list[Prompt]:
    """Prompts give no rights, so a repository's count like those of anybody else."""
    return [
        Prompt(name, layer.prompts[name], layer.source)
        for name in TEMPLATES
        if (layer := next((each for each in reversed(layers) if name in each.prompts), None)) is not None
    ]
