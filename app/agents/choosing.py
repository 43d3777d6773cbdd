"""Fill the form of an agent with a program that somebody chose from those offered, by a link alone."""

from collections.abc import Iterable

from app.agents.views import Offer
from app.web.forms import Entered


def chosen(offers: Iterable[Offer], preset: str, **kept: str) -> Entered | None:
    """The form with runner and command of the offer that is called `preset`, beside what is `kept`; None for none.

    What is not known comes back as an error of the runner's field.
    """
    if not preset:
        return None
    offer = next((each for each in offers if each.id == preset), None)
    values = {name: value for name, value in kept.items() if value}
    if offer is None:
        return Entered(values, {"runner": "There is no such program to choose. Choose one of those above."})
    return Entered({"name": offer.id, **values, "runner": offer.runner, "command": offer.command})
