"""What pages show of a configuration: each value in words, and who said it."""

from msgspec import Struct

from app.web.forms import Entered


class SourceView(Struct, frozen=True, kw_only=True):
    """Who said something. `href` leads to where it can be changed; `commit` is the short id of one."""

    words: str
    href: str = ""
    commit: str = ""
    is_file: bool = False


class OtherView(Struct, frozen=True, kw_only=True):
    """What somebody else said, and why it does not hold where that is not plain."""

    said: str
    source: SourceView
    why: str = ""


class SettingView(Struct, frozen=True, kw_only=True):
    """One setting. `items` are the names of a list, `said` stands for everything else."""

    key: str
    label: str
    said: str = ""
    items: tuple[str, ...] = ()
    is_code: bool = False
    source: SourceView
    others: tuple[OtherView, ...] = ()
    #: What must be known beside it.
    note: str = ""


class RuleView(Struct, frozen=True, kw_only=True):
    """One rule: what it does in a word, and why it does not hold."""

    kind: str
    text: str
    source: SourceView
    why: str = ""


class PromptLink(Struct, frozen=True, kw_only=True):
    """A template, where it is written, and where its page is."""

    name: str
    title: str
    source: SourceView
    first_line: str
    href: str = ""


class ConfigurationView(Struct, frozen=True, kw_only=True):
    """Everything that holds. `ignored` are pairs of a file and a sentence."""

    settings: tuple[SettingView, ...]
    rules: tuple[RuleView, ...] = ()
    prompts: tuple[PromptLink, ...] = ()
    branch: str = ""
    commit: str = ""
    ignored: tuple[tuple[str, str], ...] = ()
    #: What becomes of the repository's `CLAUDE.md`; its source is None where there is none.
    instructions: SourceView | None = None
    instructions_words: str = ""
    trusted: bool = False


class ConfigurationPage(Struct, frozen=True, kw_only=True):
    """The page of a project's configuration."""

    project_id: str
    shown: ConfigurationView
    trust_repository: bool
    config_path: str
    saved: bool = False
    form: Entered = Entered()


class ConfigurationOfOne(Struct, frozen=True, kw_only=True):
    """What holds for the next run of a task, or held for a run: `shown` is None before its program started.

    `back` leads to what it belongs to, as addresses with names. `prompt` is what a run was told, and empty otherwise.
    """

    title: str
    back: tuple[tuple[str, str], ...]
    shown: ConfigurationView | None
    prompt: str = ""


class PromptPage(Struct, frozen=True, kw_only=True):
    """The page of one template. `owner` is a project's or an agent's name, `above` what counts before or instead."""

    name: str
    title: str
    when: str
    action: str
    back: tuple[str, str]
    owner: str
    text: str
    is_own: bool
    source: SourceView
    #: A sentence where another one counts before what is written here.
    above: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    tasks: tuple[tuple[str, str], ...] = ()
    task_id: str = ""
    preview: str = ""
    saved: bool = False
    form: Entered = Entered()
