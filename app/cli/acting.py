"""What a command that changes something needs: who does it, its form, and whether anybody serves meanwhile."""

from typing import TypeVar

import click
from msgspec import Struct

from app.accounts.people import owner_name
from app.errors import Invalid
from app.events.recording import Actor
from app.postgres.listening import somebody_listens
from app.web.forms import parse_form

Form = TypeVar("Form", bound=Struct)


def actor() -> Actor:
    """The person at this terminal."""
    return Actor("person", owner_name())


def filled(form: type[Form], **typed: object) -> Form:
    """The form with what was typed; what is None was not. A field beyond its limits is wrong usage of its parameter."""
    try:
        return parse_form(form, {name: _texts(value) for name, value in typed.items() if value is not None})
    except Invalid as wrong:
        field, sentence = next(iter(wrong.fields.items()))
        context = click.get_current_context()
        parameter = next((each for each in context.command.params if each.name == field), None)
        raise click.BadParameter(sentence, context, parameter, param_hint=None if parameter else field) from wrong


async def say_when_it_begins() -> None:
    """After something was queued: no command runs agents, only a server does."""
    if not await somebody_listens():
        click.echo("No AgentPane is serving now; it begins when one does (agentpane serve).")


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, tuple) else [str(value)]
