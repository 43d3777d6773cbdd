"""Characters that a reader cannot see but a compiler or a model obeys: direction overrides, zero widths, controls.

Hostile code hides behind them (CVE-2021-42574), so every text of an agent shows them by name.
"""

import re
import unicodedata

from markupsafe import Markup, escape

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def show_hidden(text: str) -> Markup:
    """`text` escaped for HTML, each hidden character standing in a `<mark>` by its name."""
    if not _HIDDEN.search(text):
        return escape(text)
    return Markup(_HIDDEN.sub(_mark, str(escape(text))))  # noqa: S704 escaped in this line


def name_hidden(text: str) -> str:
    """Plain `text` with each hidden character written as ⟨U+202E⟩."""
    return _HIDDEN.sub(lambda found: f"⟨{_name(found[0])}⟩", text)


def without_ansi(text: str) -> str:
    """Terminal output without the sequences that colour it and move the cursor; a line keeps what was drawn last."""
    plain = _ANSI.sub("", text).replace("\r\n", "\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n"))


def _mark(found: re.Match[str]) -> str:
    character = found[0]
    title = unicodedata.name(character, "control character").lower()
    return f'<mark title="{title}">{_name(character)}</mark>'


def _name(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, kept by the surrogateescape error handler
        return f"\\x{code - 0xDC00:02X}"
    if code < 0x20:
        return chr(0x2400 + code)
    return f"U+{code:04X}"
