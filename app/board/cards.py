"""The HTML of one card, made once for each content and then kept: every viewer and every second gets the same."""

import re
from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup

from app.board.views import Card
from app.web.templates import render

#: How many cards are kept, of about 3 KB each.
_KEPT = 4_000
_INDENTATION = re.compile(r"\n\s*(?=<)")


@lru_cache(maxsize=_KEPT)
def render_card(card: Card) -> str:
    """The card's article; the viewer's places in it are still open (see `app.web.fragments`)."""
    return _INDENTATION.sub("", render("board/_card.html", t=card))


def render_cards(cards: Iterable[Card]) -> Markup:
    """A column's cards, one after another."""
    return Markup("".join(map(render_card, cards)))  # noqa: S704  each is a template's output
