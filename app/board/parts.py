"""The places of a board that change by themselves, as partials for replies and for the stream."""

from collections.abc import Iterable

from app.board.cards import render_card
from app.board.views import AttentionItem, Board, Card, Column
from app.web.context import PageContext, ProjectLink
from app.web.replies import Partial
from app.web.templates import dom_id, render


def card_placed(card: Card) -> Partial:
    """The card as it is now, in its column, at its position: for a new card, a moved one and a changed one alike."""
    return Partial(f"#{dom_id('cards', card.column)}", render_card(card), "place")


def card_removed(task_id: str) -> Partial:
    """A task that is no longer on this board."""
    return Partial(f"#{dom_id('task', task_id)}", "", "delete")


def column_heads(columns: Iterable[Column]) -> list[Partial]:
    """Counts and notes over the columns, and in the tabs of a phone."""
    heads = []
    for column in columns:
        heads.append(Partial(f"#{dom_id('head', column.key)}", render("board/_column_head.html", column=column)))
        heads.append(Partial(f"#{dom_id('tab', column.key)}", render("board/_column_tab.html", column=column)))
    return heads


def attention(project_id: str, items: tuple[AttentionItem, ...]) -> list[Partial]:
    """The strip of what needs a person, and its count in the top bar."""
    page = PageContext(project=ProjectLink(project_id, ""), attention=len(items))
    return [
        Partial("#needs", render("board/_attention.html", attention=items)),
        Partial("#attention-count", render("components/_attention_count.html", page=page)),
    ]


def at_work(board: Board) -> Partial:
    """How many agents are at work and how many tasks wait for one."""
    return Partial("#at-work", render("board/_at_work.html", board=board))
