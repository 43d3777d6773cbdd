"""Templates of prompts: what is put in, what is refused and where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.configuration.sources import TemplateName
from app.configuration.templates import DEFAULTS, VARIABLES, TemplateRefused, check, render

VALUES = {"task.title": "Say it", "task.description": "", "rejection.reason": "Twice, {{task.title}} please."}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (DEFAULTS["task"], "Say it"),
        ("{{task.title}}\n\n{{task.description}}\n\nBe brief.", "Say it\n\nBe brief."),
        ("{{ task.title }}: {{task.description}}.", "Say it: ."),
        ("- {{task.description}}\n{{task.title}}", "-\nSay it".replace("-\n", "- \n")),
        ("$\\{{ secrets.KEY }} {{task.title}}", "${{ secrets.KEY }} Say it"),
        ("\\{{task.title}} is {{task.title}}", "{{task.title}} is Say it"),
        ("{{rejection.reason}}", "Twice, {{task.title}} please."),
    ],
)
def test_values_are_put_in_once(template: str, text: str) -> None:
    assert render(template, VALUES) == text


@given(st.dictionaries(st.sampled_from(sorted(VARIABLES["task"])), st.text()))
def test_no_value_is_ever_looked_at_again(values: dict[str, str]) -> None:
    names = sorted(values)
    between = "\x1f"
    told = render(between.join(f"{{{{{name}}}}}" for name in names) + "!", values)
    assert told == (between.join(values[name] for name in names) + "!").strip()


@pytest.mark.parametrize("name", ["task", "rejection", "conflict"])
def test_the_defaults_are_templates(name: TemplateName) -> None:
    check(name, DEFAULTS[name])


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("task", "{{task.title}}\n{{task.titel}}", "Line 2: there is no {{task.titel}}. Is it {{task.title}}?"),
        (
            "task",
            "{{task.title}} {{rejection.reason}}",
            "{{rejection.reason}} is there in the prompt of a rejection only",
        ),
        ("task", "{{task.title}}\n\n{{ 7*7 }}", "Line 3: there is no {{7*7}}."),
        ("task", "{{task.title}} {{", "Line 1: {{ is not closed."),
        ("task", "{{task.title\n}}", "Line 1: {{ is not closed."),
        ("task", "Do something", "{{task.title}} or {{task.description}} must be in it."),
        ("task", "\\{{task.title}}", "must be in it"),
        ("task", "", "must be in it"),
        ("rejection", "{{task.title}}", "{{rejection.reason}} must be in it."),
        ("conflict", "{{conflict.base}}", "{{conflict.details}} or {{conflict.files}} must be in it."),
        ("task", "{{task.title}}" + "x" * 20_000, "Use at most 20,000 characters; this has 20,014."),
    ],
)
def test_what_is_wrong_is_named_with_its_line(name: TemplateName, text: str, sentence: str) -> None:
    with pytest.raises(TemplateRefused) as wrong:
        check(name, text)
    assert sentence in str(wrong.value)
