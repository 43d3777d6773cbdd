"""Whether a program seems to be signed in: variables that are set and files that exist, of which nothing is read."""

import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from app.runners.presets.known import SignIn


class SignedIn(Struct, frozen=True, kw_only=True):
    """What was found. `text` says it, or what to do; never more than names of variables."""

    is_found: bool
    text: str


def look_for(sign_in: SignIn, env: Mapping[str, str]) -> SignedIn:
    """What a program started with `env` would find."""
    for name in sign_in.variables:
        if env.get(name):
            return SignedIn(is_found=True, text=f"{name} is set")
    if any(path.exists() for path in _files(sign_in, env)):
        return SignedIn(is_found=True, text="signed in or configured")
    return SignedIn(is_found=False, text=sign_in.how)


def _files(sign_in: SignIn, env: Mapping[str, str]) -> list[Path]:
    home = Path(env.get("HOME") or "/nonexistent")
    files = [home / name for name in sign_in.files]
    if sign_in.moved and env.get(sign_in.moved[0], "").startswith("/"):
        files = [Path(env[sign_in.moved[0]]) / sign_in.moved[1]]
    if sys.platform == "darwin" and ".claude/.credentials.json" in sign_in.files:
        files.append(home / ".claude.json")  # The sign-in itself is in the key chain there.
    return files
