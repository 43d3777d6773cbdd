"""What of the machine itself a program in a sandbox can read: the system's programs, and the way to its own."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from app.processes.sandbox import OLD_PLACES, Mount, readable

_PROGRAMS = ("/usr", "/opt", "/nix", "/snap", "/sys/devices/system/cpu")
#: All that is seen of `/etc`: names, addresses, certificates, where things are. No passwords and no keys.
_ETC = (
    "passwd", "group", "nsswitch.conf", "hosts", "hostname", "host.conf", "resolv.conf", "gai.conf", "protocols",
    "services", "networks", "ssl/certs", "ssl/cert.pem", "ssl/openssl.cnf", "ca-certificates", "ca-certificates.conf",
    "pki/ca-trust", "pki/tls/certs", "pki/tls/cert.pem", "crypto-policies", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "timezone", "locale.conf", "locale.alias", "default/locale", "alternatives",
    "gitconfig", "gitattributes", "mime.types", "magic", "terminfo", "inputrc", "bash.bashrc", "profile", "profile.d",
    "os-release", "debian_version", "lsb-release", "fonts", "python3", "perl", "java", "java-17-openjdk", "maven",
)  # fmt: skip
_ETC_FOR_GIT = (
    "passwd", "group", "nsswitch.conf", "hosts", "resolv.conf", "ssl/certs", "pki/ca-trust", "ld.so.cache", "localtime",
    "alternatives", "gitconfig", "gitattributes",
)  # fmt: skip
#: Variables that may name the certificates of a company's own authority.
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO")
#: Where version managers keep what their links on PATH lead to, below the home folder.
_TOOLCHAINS = (
    ".nvm/versions", ".pyenv", ".rbenv", ".asdf", ".rustup", ".sdkman/candidates", ".volta", ".deno/bin", ".bun/bin",
    ".local/share/mise", ".local/share/uv/python", ".local/share/uv/tools", ".local/share/fnm", ".local/pipx/venvs",
    ".local/share/pipx/venvs", "sdk",
)  # fmt: skip
#: Links that are followed in one folder of PATH; one with more is no folder of a person's own programs.
_MOST_LINKS = 500


@functools.cache
def system() -> tuple[Mount, ...]:
    """The system's own files, read-only."""
    return _system(_ETC)


@functools.cache
def system_for_git() -> tuple[Mount, ...]:
    """As much of them as git and its filters need: each mount takes time, and git is short."""
    return _system(_ETC_FOR_GIT)


def _system(names: Iterable[str]) -> tuple[Mount, ...]:
    places = [Path("/etc") / name for name in names]
    return (
        *readable(*(Path(place) for place in _PROGRAMS if Path(place).exists())),
        *(Mount(place, place.resolve()) for place in places if place.exists()),
    )


def programs(command: Sequence[str], env: Mapping[str, str]) -> tuple[Mount, ...]:
    """What `command` and the programs on PATH need to start, as far as it lies outside of the system's folders.

    Of the command's own words those that name a file, such as a script, can be read too.
    """
    home = Path(env.get("HOME") or "/nonexistent")
    named = [Path(word) for word in command if word.startswith("/")]
    found = [
        *(place for word in named if word.is_file() for place in (word, *_belonging_to(word, home))),
        *_on_path(env.get("PATH", ""), home),
        *(home / name for name in _TOOLCHAINS),
        *(Path(env[name]) for name in _CERTIFICATES if env.get(name, "").startswith("/")),
    ]
    return readable(*_fitting(set(found), home))


def on_path(env: Mapping[str, str]) -> tuple[Mount, ...]:
    """What the programs on PATH need to start."""
    home = Path(env.get("HOME") or "/nonexistent")
    return _readable_on_path(env.get("PATH", ""), home)


@functools.lru_cache(maxsize=8)
def _readable_on_path(variable: str, home: Path) -> tuple[Mount, ...]:
    return readable(*_fitting(set(_on_path(variable, home)), home))


def _fitting(places: set[Path], home: Path) -> list[Path]:
    """Those that are there and are not seen anyway, as part of the system or of another one."""
    found = {place for place in places if place.exists() and not _is_of_system(place)}
    found = {place for place in found if not _is_too_much(place, home)}
    return sorted(place for place in found if found.isdisjoint(place.parents))


@functools.lru_cache(maxsize=8)
def _on_path(variable: str, home: Path) -> tuple[Path, ...]:
    folders = [Path(part) for part in variable.split(":") if part.startswith("/")]
    return tuple(dict.fromkeys(place for folder in folders for place in (folder, *_led_to_by(folder, home))))


def _led_to_by(folder: Path, home: Path) -> Iterator[Path]:
    """Where the links of a folder of programs lead, if that is elsewhere in the person's own files."""
    if folder.is_dir() and not _is_of_system(folder):
        if (folder.parent / "pyvenv.cfg").is_file():
            yield folder.parent
        for entry in [each for each in folder.iterdir() if each.is_symlink()][:_MOST_LINKS]:
            if entry.resolve().parent != folder.resolve():
                yield from _belonging_to(entry, home)


def _belonging_to(program: Path, home: Path) -> Iterable[Path]:
    """The folders without which a program, often a link, does not start: its package, its environment."""
    if program.parent.name == "bin" and (program.parent.parent / "pyvenv.cfg").is_file():
        yield program.parent.parent
    target = program.resolve()
    if _is_of_system(target):
        return
    yield target
    modules = next((each for each in target.parents if each.name == "node_modules"), None)
    if modules is not None:
        yield modules
    elif target.parent.name == "bin" and target.parent.parent not in (home, home / ".local", *home.parents):
        yield target.parent.parent


def _is_of_system(path: Path) -> bool:
    return any(path.is_relative_to(place) for place in (*map(Path, _PROGRAMS), *OLD_PLACES))


def _is_too_much(place: Path, home: Path) -> bool:
    """A home folder, or one that holds it, is never shown for the sake of a program in it."""
    return home.is_relative_to(place) or home.is_relative_to(place.resolve())
