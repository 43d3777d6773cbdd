"""One frozen struct of settings, read once from the environment. A value that cannot be used stops the start."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct
from platformdirs import user_data_path

LOG_LEVELS = ("debug", "info", "warning", "error")

#: Whether agents run in a sandbox: where one can be had, never without one, or never.
SandboxMode = Literal["auto", "required", "off"]

#: Names passed on to agents; `AGENTPANE_AGENT_ENV` adds to them. Nothing else of ours reaches an agent.
AGENT_ENVIRONMENT = (
    "PATH", "HOME", "LANG", "TZ", "TERM",
    "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN",
    "OPENAI_API_KEY", "OPENAI_BASE_URL", "GEMINI_API_KEY",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
)  # fmt: skip


class SettingsError(Exception):
    """A setting that cannot be used; the message names it."""


class Settings(Struct, frozen=True, kw_only=True):
    """What the operator chose, from `AGENTPANE_*` and the options of `agentpane serve`."""

    data_dir: Path
    #: Any PostgreSQL ≥ 15; empty means the embedded one.
    database_url: str = ""
    host: str = "127.0.0.1"
    #: 0 picks a free port.
    port: int = 8000
    base_url: str = ""
    allowed_hosts: tuple[str, ...] = ()
    #: Empty means: made once in the data folder.
    secret_key: str = ""
    log_level: str = "info"
    default_model: str = ""
    agent_env: tuple[str, ...] = ()
    sandbox: SandboxMode = "auto"

    @property
    def agent_environment(self) -> dict[str, str]:
        """The allow-listed part of this process's environment, for agents and set-up commands."""
        return {name: os.environ[name] for name in (*AGENT_ENVIRONMENT, *self.agent_env) if name in os.environ}


def read_settings(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Settings from the environment; `overrides` that are not None win. Raises `SettingsError`."""
    env = os.environ if environ is None else environ
    chosen = {name: value for name, value in overrides.items() if value is not None}
    return Settings(
        data_dir=_data_dir(chosen.pop("data_dir", None) or env.get("AGENTPANE_DATA_DIR")),
        database_url=_database_url(env.get("DATABASE_URL", "")),
        host=str(chosen.pop("host", None) or env.get("AGENTPANE_HOST") or "127.0.0.1"),
        port=_port(chosen.pop("port", env.get("AGENTPANE_PORT") or "8000")),
        base_url=_base_url(env.get("AGENTPANE_BASE_URL", "")),
        allowed_hosts=_words(env.get("AGENTPANE_ALLOWED_HOSTS", "")),
        secret_key=_secret_key(env.get("AGENTPANE_SECRET_KEY", "")),
        log_level=_log_level(env.get("AGENTPANE_LOG_LEVEL", "info")),
        default_model=env.get("AGENTPANE_DEFAULT_MODEL", "").strip(),
        agent_env=_words(env.get("AGENTPANE_AGENT_ENV", "")),
        sandbox=_sandbox(env.get("AGENTPANE_SANDBOX", "")),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(",", " ").split() if word)


def _data_dir(chosen: object) -> Path:
    path = Path(str(chosen)).expanduser() if chosen else user_data_path("agentpane", appauthor=False)
    path = path.absolute()
    if path.exists() and not path.is_dir():
        raise SettingsError(f"AGENTPANE_DATA_DIR names {path}, which is not a folder.")
    return path


def _database_url(url: str) -> str:
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise SettingsError("DATABASE_URL must begin with postgresql:// and name a PostgreSQL 15 or newer.")
    return url


def _port(chosen: object) -> int:
    try:
        port = int(str(chosen))
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise SettingsError(f"AGENTPANE_PORT is '{chosen}'; it must be a number from 0 to 65535.")
    return port


def _base_url(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise SettingsError(f"AGENTPANE_BASE_URL is '{url}'; it must begin with http:// or https://.")
    return url.rstrip("/")


def _secret_key(key: str) -> str:
    if key and len(key) < 32:
        raise SettingsError("AGENTPANE_SECRET_KEY is shorter than 32 characters; a longer one cannot be guessed.")
    return key


def _sandbox(chosen: str) -> SandboxMode:
    modes: dict[str, SandboxMode] = {mode: mode for mode in get_args(SandboxMode)}
    mode = modes.get(chosen.strip().lower() or "auto")
    if mode is None:
        raise SettingsError(f"AGENTPANE_SANDBOX is '{chosen}'; choose one of {', '.join(modes)}.")
    return mode


def _log_level(level: str) -> str:
    if level.lower() not in LOG_LEVELS:
        raise SettingsError(f"AGENTPANE_LOG_LEVEL is '{level}'; choose one of {', '.join(LOG_LEVELS)}.")
    return level.lower()
