"""What the server and a project say. What an agent and a task say stands with them."""

from app.configuration.settings import SETTINGS
from app.configuration.sources import DEFAULT, PROJECT, Layer, Said, Source
from app.configuration.templates import DEFAULTS
from app.projects.rows import ProjectConfig
from app.settings import Settings

#: Of a program that speaks ACP: its models are its own, so nothing that is said for Claude is meant for it.
OWN_MODEL = ""


def server_layers(settings: Settings) -> list[Layer]:
    """The defaults, and what the environment of the server says instead."""
    layers = [Layer(source=DEFAULT, values=_values(ProjectConfig()) | {"sandbox": "auto"}, prompts={**DEFAULTS})]
    if settings.default_model:
        source = Source("server", "AGENTPANE_DEFAULT_MODEL")
        layers.append(Layer(source=source, values={"model": settings.default_model}))
    if settings.sandbox != "auto":
        layers.append(Layer(source=Source("server", "AGENTPANE_SANDBOX"), values={"sandbox": settings.sandbox}))
    return layers


def project_layer(config: ProjectConfig) -> Layer:
    """What the project's settings say beyond the defaults: a value that equals one was not chosen."""
    default = _values(ProjectConfig())
    chosen = {key: said for key, said in _values(config).items() if said != default[key] and said != ""}
    return Layer(source=PROJECT, values=chosen, rules=config.permissions, prompts=config.prompts.written())


def _values(config: ProjectConfig) -> dict[str, Said]:
    known: dict[str, Said] = {
        "model": config.model,
        "maxTurns": config.max_turns,
        "allowedTools": config.allowed_tools,
        "timeoutMinutes": config.timeout_minutes,
        "idleTimeoutMinutes": config.idle_timeout_minutes,
        "sandbox": config.sandbox,
        "memoryLimitMb": config.memory_limit_mb,
        "processLimit": config.process_limit,
        "fileLimitMb": config.file_limit_mb,
    }
    assert known.keys() == {setting.key for setting in SETTINGS}
    return known
