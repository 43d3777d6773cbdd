"""The JSON of a repository: what of it is a setting of ours, and a sentence for everything that is not.

Nothing in it stops a run. What is understood counts, the rest is told.
"""

from typing import Any

import msgspec
from msgspec import Struct

from app.configuration.claude_rules import as_ours
from app.configuration.settings import SETTINGS, Setting
from app.configuration.sources import RuleKind, Said
from app.runners.rules import MOST, RuleRefused, Rules, parse_rule
from app.web.hidden import name_hidden

#: Entries of a list of tools, and sentences about one file.
MOST_TOOLS, MOST_SENTENCES = 100, 50
#: Settings of Claude Code that are not ours.
_CLAUDE = {
    "$schema", "additionalDirectories", "apiKeyHelper", "attribution", "autoMemoryEnabled", "awsAuthRefresh",
    "awsCredentialExport", "cleanupPeriodDays", "companyAnnouncements", "disableAllHooks", "disabledMcpjsonServers",
    "enableAllProjectMcpServers", "enabledMcpjsonServers", "enabledPlugins", "env", "extraKnownMarketplaces",
    "fileSuggestion", "forceLoginMethod", "forceLoginOrgUUID", "hooks", "includeCoAuthoredBy", "language", "mcpServers",
    "otelHeadersHelper", "outputStyle", "plansDirectory", "respectGitignore", "spinnerTipsEnabled", "statusLine",
}  # fmt: skip
_CLAUDE_PERMISSIONS = {"additionalDirectories", "defaultMode", "disableBypassPermissionsMode"}


class Document(Struct, frozen=True, kw_only=True):
    """What a file says, and sentences about what is ignored."""

    values: dict[str, Said] = {}
    rules: Rules = Rules()
    sentences: tuple[str, ...] = ()


def read_document(content: bytes) -> Document:
    """The document; one that cannot be read says nothing."""
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Document(sentences=(f"The whole file is ignored: it is not valid JSON ({error}).",))
    if not isinstance(document, dict):
        return Document(sentences=("The whole file is ignored: a JSON object is expected.",))
    return _Reader().read(document)


class _Reader:
    """One document, on its way."""

    def __init__(self) -> None:
        self._values: dict[str, Said] = {}
        self._rules: dict[RuleKind, tuple[str, ...]] = {}
        self._sentences: list[str] = []

    def read(self, document: dict[str, Any]) -> Document:
        known = {setting.key: setting for setting in SETTINGS}
        for key, said in document.items():
            if key in known:
                self._setting(known[key], said)
            elif key == "permissions":
                self._permissions(said)
            else:
                self._ignore(_shown(key), _foreign(key))
        more = len(self._sentences) - MOST_SENTENCES
        told = self._sentences[:MOST_SENTENCES] + ([f"{more} more things are ignored."] if more > 0 else [])
        return Document(values=self._values, rules=Rules(**self._rules), sentences=tuple(told))

    def _ignore(self, what: str, why: str) -> None:
        self._sentences.append(f"{what} is ignored: {why}.")

    def _setting(self, setting: Setting, said: Any) -> None:
        match setting.narrowing:
            case "least":
                self._number(setting, said)
            case "tools":
                self._tools(said)
            case "required" if said != "required":
                self._ignore(setting.key, 'a repository can say "required" and nothing else')
            case _ if isinstance(said, str) and said.strip() and len(said) <= 200 and said.isprintable():
                self._values[setting.key] = said.strip()
            case _:
                self._ignore(setting.key, "a text of 1 to 200 characters is expected")

    def _number(self, setting: Setting, said: Any) -> None:
        if isinstance(said, bool) or not isinstance(said, int) or not setting.least <= said <= setting.most:
            self._ignore(setting.key, f"a whole number from {setting.least:,} to {setting.most:,} is expected")
        else:
            self._values[setting.key] = said

    def _tools(self, said: Any) -> None:
        tools = self._texts("allowedTools", said, MOST_TOOLS)
        if tools is None:
            return
        readable = []
        for text in tools:
            try:
                readable.append(parse_rule(text).text)
            except RuleRefused as wrong:
                self._ignore(f"{_shown(text)} in allowedTools", str(wrong))
        self._values["allowedTools"] = tuple(dict.fromkeys(readable))

    def _permissions(self, said: Any) -> None:
        if not isinstance(said, dict):
            self._ignore("permissions", "an object with allow, ask and deny is expected")
            return
        for key, texts in said.items():
            if key in ("allow", "ask", "deny"):
                self._list(key, texts)
            else:
                is_claude = key in _CLAUDE_PERMISSIONS
                why = (
                    "it is Claude Code's own, and is decided here"
                    if is_claude
                    else "only allow, ask and deny are known"
                )
                self._ignore(f"{_shown(key)} in permissions", why)

    def _list(self, kind: RuleKind, said: Any) -> None:
        texts = self._texts(f"permissions.{kind}", said, MOST)
        kept = []
        for text in texts or ():
            try:
                kept.append(as_ours(kind, text))
            except RuleRefused as wrong:
                self._ignore(f"{_shown(text)} in permissions.{kind}", str(wrong))
        self._rules[kind] = tuple(dict.fromkeys(kept))

    def _texts(self, name: str, said: Any, most: int) -> list[str] | None:
        """A list of texts; None, with a sentence, for anything else."""
        if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
            self._ignore(name, "a list of texts is expected")
            return None
        if len(said) > most:
            self._ignore(f"All of {name} from entry {most + 1} on", f"at most {most} entries are read")
        return said[:most]


def _foreign(key: str) -> str:
    return "it is a setting of Claude Code, which is not used here" if key in _CLAUDE else "no such setting is known"


def _shown(text: str) -> str:
    """What a repository wrote, short and without characters that cannot be seen."""
    return name_hidden(text[:80])
