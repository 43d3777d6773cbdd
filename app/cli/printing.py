"""How commands print: rows in columns for people, JSON for scripts, and nothing that steers a terminal."""

from collections.abc import Iterable, Sequence

import click
import msgspec

from app.web.hidden import name_hidden, without_ansi

#: Characters of an id that lists show.
SHOWN_ID = 8


def print_json(value: object) -> None:
    """Anything as JSON on one line."""
    click.echo(msgspec.json.encode(value).decode())


def print_table(head: Sequence[str], lines: Iterable[Sequence[str]], nothing: str) -> None:
    """Columns as wide as their longest cell; `nothing` is said in place of an empty table."""
    cells = [[plain(cell) for cell in line] for line in lines]
    if not cells:
        return click.echo(nothing)
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    for line in (head, *cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """`name: value` lines, without those that are unknown; a longer text stands below its name."""
    for name, value in facts:
        text = without_ansi(value).strip()
        if "\n" in text:
            click.echo(f"{name}:")
            click.echo("\n".join(f"  {name_hidden(line)}" for line in text.split("\n")))
        elif text:
            click.echo(f"{name}: {name_hidden(text)}")


def plain(text: str) -> str:
    """One line of text that says what it is and does nothing: titles and errors may come from agents."""
    return name_hidden(" ".join(without_ansi(text).split()))


def short(row_id: str) -> str:
    """The beginning of an id, enough to name it in the next command."""
    return row_id[:SHOWN_ID]
