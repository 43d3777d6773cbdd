"""Numbers, durations, sizes and times as people read them. `static/js/times.js` says the same words for times."""

from datetime import datetime

_AVATAR_TINTS = 5


def number(value: int) -> str:
    """1284 → `1,284`."""
    return f"{value:,}"


def short_number(value: int) -> str:
    """Tokens and the like: 205412 → `205 k`, 1250000 → `1.3 M`."""
    if value < 1_000:
        return str(value)
    if value < 9_950:
        return f"{value / 1_000:.1f} k"
    if value < 999_500:
        return f"{value / 1_000:.0f} k"
    return f"{value / 1_000_000:.1f} M"


def took(milliseconds: int | None) -> str:
    """A finished duration in milliseconds: `0.3 s`, `12.2 s`, `2:14`, `1:02:11`; an em dash when unknown."""
    if milliseconds is None:
        return "—"
    if milliseconds < 60_000:
        return f"{milliseconds / 1_000:.1f} s"
    return _hours_minutes_seconds(milliseconds // 1_000)


def size(count: int) -> str:
    """Bytes: `812 B`, `2.1 KB`, `14 MB`."""
    if count < 1_000:
        return f"{count} B"
    value, unit = next((count / scale, unit) for scale, unit in _SIZES if count / scale >= 0.9995)
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


_SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "KB"))


def ago(then: datetime, now: datetime) -> str:
    """How long since: `40 s`, `18 min`, `2 h`, `3 d`, then the date."""
    seconds = max(0, int((now - then).total_seconds()))
    for limit, unit, word in ((60, 1, "s"), (3_600, 60, "min"), (86_400, 3_600, "h"), (604_800, 86_400, "d")):
        if seconds < limit:
            return f"{seconds // unit} {word}"
    local = then.astimezone()
    return f"{local.day} {local:%b}" if local.year == now.astimezone().year else f"{local.day} {local:%b %Y}"


def elapsed(then: datetime, now: datetime) -> str:
    """Running time since: `6:12`."""
    return _hours_minutes_seconds(max(0, int((now - then).total_seconds())))


def clock(then: datetime, _now: datetime) -> str:
    """Time of day in the server's zone; the browser puts its own."""
    return f"{then.astimezone():%H:%M:%S}"


def exact(then: datetime) -> str:
    """The whole moment, with its zone, for a title."""
    local = then.astimezone()
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S %Z}"


def day(then: datetime) -> str:
    """The day in the server's zone: `Wed 25 Nov 2026`."""
    local = then.astimezone()
    return f"{local:%a} {local.day} {local:%b %Y}"


def initials(name: str) -> str:
    """`Mara Lindqvist` → `ML`, `opus-1` → `o1`."""
    words = [word for word in name.replace("-", " ").replace("_", " ").split() if word]
    return "".join(word[0] for word in words[:2]) or "?"


def tint(name: str) -> str:
    """The avatar class of a name: the same name has the same tint everywhere."""
    return f"avatar--c{sum(name.encode()) % _AVATAR_TINTS + 1}"


def short_id(id: str) -> str:
    """The first six characters, as branches carry them."""
    return id[:6]


def plural(count: int, one: str, many: str = "") -> str:
    """`1 file`, `7 files`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def ordinal(place: int) -> str:
    """1 → `1st`, 12 → `12th`."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def times(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def spaced(code: str) -> str:
    """`turn_limit` → `turn limit`."""
    return code.replace("_", " ")


def _hours_minutes_seconds(seconds: int) -> str:
    hours, rest = divmod(seconds, 3_600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
