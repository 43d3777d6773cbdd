"""A value and who said it: what a page shows, and what a run keeps of what it was started with."""

from typing import Literal

from msgspec import Struct

from app.runners.rules import Rules

#: In the order in which a later one counts before an earlier one.
Kind = Literal["default", "server", "project", "repository", "agent", "task"]
RuleKind = Literal["allow", "ask", "deny"]
#: A number, a text, or the names of tools.
Said = int | str | tuple[str, ...]
TemplateName = Literal["task", "rejection", "conflict"]
TEMPLATES: tuple[TemplateName, ...] = ("task", "rejection", "conflict")


class Source(Struct, frozen=True, omit_defaults=True):
    """Who said something. `name`: the agent, the file, the variable; `commit`: where the file was read."""

    kind: Kind
    name: str = ""
    commit: str = ""

    @property
    def words(self) -> str:
        """As a page calls it."""
        match self.kind:
            case "default":
                return "AgentPane's default"
            case "project":
                return "the project's settings"
            case "repository":
                return f"{self.name} at {self.commit[:10]}"
            case "task":
                return "this task"
            case _:
                return self.name


DEFAULT = Source("default")
PROJECT = Source("project")
TASK = Source("task")


class Layer(Struct, frozen=True, kw_only=True):
    """What one of them says. A key that is not in `values` is not said."""

    source: Source
    values: dict[str, Said] = {}
    rules: Rules = Rules()
    prompts: dict[str, str] = {}


class Other(Struct, frozen=True, omit_defaults=True):
    """Another thing that was said of the same, and why it does not hold; empty where a later one simply counts."""

    said: Said
    source: Source
    why: str = ""


class Value(Struct, frozen=True, omit_defaults=True):
    """A setting as it holds, and what else was said of it."""

    key: str
    said: Said
    source: Source
    others: tuple[Other, ...] = ()


class SaidRule(Struct, frozen=True, omit_defaults=True):
    """One rule, and who said it; `why` it does not hold, empty for one that does."""

    kind: RuleKind
    text: str
    source: Source
    why: str = ""


class Prompt(Struct, frozen=True, omit_defaults=True):
    """The template of a prompt."""

    name: TemplateName
    text: str
    source: Source


class Instructions(Struct, frozen=True, omit_defaults=True):
    """The `CLAUDE.md` of the repository. `text` is not kept with a run: the object id names it."""

    source: Source
    oid: str
    characters: int
    text: str = ""


class Note(Struct, frozen=True, omit_defaults=True):
    """A sentence about something that is ignored, and the file in which it stands."""

    file: str
    text: str


class Configuration(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that holds for a run, and where it was read."""

    values: tuple[Value, ...]
    rules: tuple[SaidRule, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    instructions: Instructions | None = None
    notes: tuple[Note, ...] = ()
    branch: str = ""
    commit: str = ""
    trusted: bool = False

    def value(self, key: str) -> Value:
        """A setting by its key."""
        return next(value for value in self.values if value.key == key)

    def number(self, key: str) -> int:
        """A setting that is a number."""
        said = self.value(key).said
        assert isinstance(said, int), key
        return said

    def text(self, key: str) -> str:
        """A setting that is a text."""
        said = self.value(key).said
        assert isinstance(said, str), key
        return said

    @property
    def allowed_tools(self) -> tuple[str, ...]:
        """The ceiling."""
        said = self.value("allowedTools").said
        assert isinstance(said, tuple)
        return said

    def prompt(self, name: str) -> Prompt:
        """The template of a prompt by its name."""
        return next(prompt for prompt in self.prompts if prompt.name == name)

    def holding(self) -> Rules:
        """The rules that hold, as runners take them."""
        kinds: dict[RuleKind, tuple[str, ...]] = {
            kind: tuple(dict.fromkeys(rule.text for rule in self.rules if rule.kind == kind and not rule.why))
            for kind in ("allow", "ask", "deny")
        }
        return Rules(**kinds)
