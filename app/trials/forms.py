"""What people type to try an agent."""

from typing import Annotated

from msgspec import Meta, Struct

#: It shows whether the agent reaches its model and may use a tool.
DEFAULT_PROMPT = "List the files of this folder, and say in one sentence what this repository is."


class TrialForm(Struct, frozen=True, kw_only=True):
    """The form 'Try it'."""

    prompt: Annotated[str, Meta(max_length=500)] = DEFAULT_PROMPT
