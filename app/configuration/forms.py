"""What people type about configuration."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.configuration.templates import MOST


class ConfigurationForm(Struct, frozen=True, kw_only=True):
    """The form 'What the repository may say'."""

    trust_repository: bool = False
    #: The folder below the project's own; empty: `.claude`.
    config_path: Annotated[str, Meta(max_length=200)] = ""


class PromptForm(Struct, frozen=True, kw_only=True):
    """The form of a template, with its three buttons."""

    template: Annotated[str, Meta(max_length=MOST)] = ""
    #: With what the preview is filled in; empty: a sample.
    task_id: str = ""
    button: Literal["save", "preview", "reset"] = "save"
