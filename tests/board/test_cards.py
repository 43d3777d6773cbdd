"""A card's HTML is made once for each content."""

import msgspec

from app.board import parts
from app.board.cards import render_card
from app.web.fragments import CSRF_FIELD
from tests.web import samples

CARD = samples.CARDS[5]


def test_the_same_card_is_rendered_once() -> None:
    render_card.cache_clear()
    assert render_card(CARD) is render_card(msgspec.structs.replace(CARD))
    assert render_card.cache_info().misses == 1


def test_any_change_makes_it_anew() -> None:
    changed = msgspec.structs.replace(CARD, turn=15)
    assert "turn 15/40" in render_card(changed)
    assert "turn 14/40" in render_card(CARD)


def test_the_kept_html_holds_no_token_and_no_words_that_age() -> None:
    html = render_card(CARD)
    assert str(CSRF_FIELD) in html
    assert "_csrf_token" not in html
    assert "<time" not in html


def test_line_breaks_of_a_note_stay_between_its_words() -> None:
    assert "one\n two" in render_card(msgspec.structs.replace(CARD, note="one\n two"))


def test_a_placed_card_names_its_column() -> None:
    partial = parts.card_placed(CARD)
    assert (partial.target, partial.swap) == ("#cards-in_progress", "place")
    assert partial.html.startswith(f'<article class="card" id="task-{CARD.id}"')


def test_counts_reach_the_heads_and_the_tabs() -> None:
    targets = [partial.target for partial in parts.column_heads(samples.columns())]
    assert targets[:2] == ["#head-backlog", "#tab-backlog"]
    assert len(targets) == 8


def test_what_needs_a_person_reaches_the_strip_and_the_top_bar() -> None:
    strip, count = parts.attention("p1", samples.ATTENTION)
    assert strip.html.startswith('<section class="attention" id="needs"')
    assert strip.html.rstrip().endswith("</section>")
    assert 'href="/projects/p1#needs" aria-label="5 things need a person"' in count.html


def test_a_strip_with_nothing_in_it_is_hidden_but_stays_in_its_place() -> None:
    assert " hidden>" in parts.attention("p1", ())[0].html
