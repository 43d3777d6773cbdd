"""Where templates, static files and migrations lie: beside `app/` in a checkout, inside it in an installed wheel."""

from pathlib import Path

import app

_PACKAGE = Path(app.__file__).resolve().parent


def resource_path(name: str) -> Path:
    """The folder `name` (`templates`, `static`, `piccolo_migrations`) of this installation."""
    packaged = _PACKAGE / "_data" / name
    if packaged.is_dir():
        return packaged
    beside = _PACKAGE.parent / name
    if (_PACKAGE.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    raise RuntimeError(
        f"AgentPane's {name} are missing beside {_PACKAGE}. Another package named 'app' may have overwritten it: "
        "install AgentPane in an environment of its own (uv tool install, pipx install, or a venv)."
    )
