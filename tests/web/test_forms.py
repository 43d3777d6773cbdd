"""From what a browser sends to a struct, with every wrong field named at once."""

from enum import Enum
from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct

from app.errors import Invalid
from app.web.forms import REQUIRED, Entered, entered, parse_form

Label = Annotated[str, Meta(min_length=1, max_length=20)]


class Kind(Enum):
    TASK = "task"
    CHAT = "conversational"


class Everything(Struct):
    title: Annotated[str, Meta(min_length=1, max_length=12)]
    count: Annotated[int, Meta(ge=1, le=10)] = 3
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    start: bool = False
    labels: Annotated[tuple[Label, ...], Meta(max_length=3)] = ()
    theme: Literal["light", "dark"] = "light"
    kind: Kind = Kind.TASK
    note: str | None = None
    description: str = "unchanged"
    branch: Annotated[str, Meta(pattern="^[a-z/]*$", extra={"sentence": "Use small letters."})] = ""


def wrong(**typed: str) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        parse_form(Everything, {"title": ["x"]} | {name: [value] for name, value in typed.items()})
    return refused.value.fields


def test_every_kind_of_field_is_read() -> None:
    typed = {
        "title": ["  Cache wheels "], "count": [" 4 "], "temperature": ["0,5"], "start": ["on"],
        "labels": ["perf, ci,,perf"], "theme": ["dark"], "kind": ["conversational"], "note": ["a\r\nb"],
        "description": [""], "branch": ["a/b"],
    }  # fmt: skip
    assert parse_form(Everything, typed) == Everything(
        "Cache wheels", 4, 0.5, True, ("perf", "ci"), "dark", Kind.CHAT, "a\nb", "", "a/b"
    )


def test_what_is_not_sent_or_left_empty_keeps_its_default() -> None:
    assert parse_form(Everything, {"title": ["x"], "count": [""], "temperature": [""], "unknown": ["y"]}) == Everything(
        "x"
    )


def test_all_wrong_fields_are_named_at_once() -> None:
    assert wrong(title="  ", count="14", temperature="warm", theme="pink", branch="NO") == {
        "title": REQUIRED,
        "count": "Choose 1 to 10.",
        "temperature": "Give a number.",
        "theme": "Choose one of dark, light.",
        "branch": "Use small letters.",
    }


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"title": "thirteen char"}, "Use at most 12 characters; this has 13."),
        ({"count": "4.5"}, "Give a whole number."),
        ({"temperature": "nan"}, "Choose 0 to 1."),
        ({"labels": "a,b,c,d"}, "Give at most 3; these are 4."),
        ({"labels": "x" * 21}, "Use at most 20 characters; this has 21."),
    ],
)
def test_a_limit_has_its_sentence(typed: dict[str, str], sentence: str) -> None:
    assert list(wrong(**typed).values()) == [sentence]


def test_a_missing_field_that_is_needed_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        parse_form(Everything, {})
    assert refused.value.fields == {"title": REQUIRED}


def test_labels_come_repeated_or_separated_by_commas_but_not_split_inside_brackets() -> None:
    assert parse_form(Everything, {"title": ["x"], "labels": ["Bash(a,b)", "Read\nEdit"]}).labels == (
        "Bash(a,b)",
        "Read",
        "Edit",
    )


@pytest.mark.parametrize(
    ("typed", "ticked"), [([], False), (["true"], True), (["1"], True), (["false"], False), ([""], False)]
)
def test_a_box_is_ticked_or_not(typed: list[str], ticked: bool) -> None:
    assert parse_form(Everything, {"title": ["x"], "start": typed}).start is ticked


def test_text_that_no_database_can_hold_becomes_text_that_it_can() -> None:
    assert parse_form(Everything, {"title": ["a\0b\udc80"]}).title == "ab?"


def test_the_form_comes_back_with_its_input_and_its_errors() -> None:
    form = entered({"title": ["x"], "count": ["14"], "_csrf_token": ["t"]}, Invalid({"count": "Choose 1 to 10."}))
    assert form.value("count", 3) == "14"
    assert form.error("count") == "Choose 1 to 10."
    assert form.value("_csrf_token") == ""
    assert not form.checked("start", otherwise=True)


def test_a_fresh_form_shows_what_is_stored() -> None:
    assert (Entered().value("count", 3), Entered().value("note", None), Entered().checked("start", True)) == (
        "3",
        "",
        True,
    )
