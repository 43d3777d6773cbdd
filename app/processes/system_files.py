"""What of the machine itself a program in a sandbox can read: the system's programs, and the way to its own."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from app.processes.sandbox import Mount, readable

_PROGRAMS = ("/usr", "/opt", "/nix", "/snap", "/sys/devices/system/cpu")
#: With a merged `/usr` these are links.
_OLD_PLACES = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
#: All that is seen of `/etc`: names, addresses, certificates, where things are. No passwords and no keys.
_ETC = (
    "passwd", "group", "nsswitch.conf", "hosts", "hostname", "host.conf", "resolv.conf", "gai.conf", "protocols",
    "services", "networks", "ssl/certs", "ssl/cert.pem", "ssl/openssl.cnf", "ca-certificates", "ca-certificates.conf",
    "pki/ca-trust", "pki/tls/certs", "pki/tls/cert.pem", "crypto-policies", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "timezone", "locale.conf", "locale.alias", "default/locale", "alternatives",
    "gitconfig", "gitattributes", "mime.types", "magic", "terminfo", "inputrc", "bash.bashrc", "profile", "profile.d",
    "os-release", "debian_version", "lsb-release", "fonts", "python3", "perl", "java", "java-17-openjdk", "maven",
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
    links = [Path(place) for place in _OLD_PLACES if Path(place).exists()]
    return (
        *readable(*(Path(place) for place in _PROGRAMS)),
        *readable(*links),
        *(Mount(Path("/etc") / name, (Path("/etc") / name).resolve()) for name in _ETC),
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
    return readable(*_outermost({place for place in found if place.exists() and not _is_too_much(place, home)}))


def _outermost(places: set[Path]) -> list[Path]:
    """Without those that lie in another one, and are seen with it."""
    return sorted(place for place in places if places.isdisjoint(place.parents))


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
    return any(path.is_relative_to(place) for place in (*_PROGRAMS, *_OLD_PLACES))


def _is_too_much(place: Path, home: Path) -> bool:
    """A home folder, or one that holds it, is never shown for the sake of a program in it."""
    return home.is_relative_to(place) or home.is_relative_to(place.resolve())
