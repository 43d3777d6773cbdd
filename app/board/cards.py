"""The HTML of one card, made once for each content and then kept: every viewer and every second gets the same."""

import re
from functools import lru_cache

from app.board.views import Card
from app.web.templates import dom_id, render

#: How many cards are kept, of about 3 KB each.
_KEPT = 4_000
_INDENTATION = re.compile(r"\n\s*(?=<)")


@lru_cache(maxsize=_KEPT)
def render_card(card: Card) -> str:
    """The card's article; the viewer's places in it are still open (see `app.web.fragments`)."""
    return _INDENTATION.sub("", render("board/_card.html", t=card))


def card_id(card: Card) -> str:
    """The id of the card's article."""
    return dom_id("task", card.id)
