"""A shell's text as commands of words: quotes, separators, redirections, substitutions. Nothing is run or looked up.

In doubt it says `NotUnderstood`, never less than there is.
"""

import re

from msgspec import Struct

from app.runners.wildcards import ANY_WORD, ANYTHING

#: Characters of a command that is looked into.
LONGEST = 64 * 1024
_ENDS = ";&|\n()"
_BLANKS = " \t\r"


class NotUnderstood(Exception):
    """Nobody can say surely what this would run."""


class Command(Struct):
    """One command: its words, the texts in it that a shell runs first, and what it reads from its input."""

    words: list[str]
    texts: list[str] = []
    input: list[str] = []


class _Here(Struct):
    """A document that begins with the next line, for `command`."""

    end: str
    is_raw: bool
    command: Command


def commands_in(text: str) -> list[Command]:
    """Every command of `text`, also those inside of round brackets; what is in its `texts` is for the caller."""
    if len(text) > LONGEST or ANYTHING in text or ANY_WORD in text:
        raise NotUnderstood
    return _Reader(text).read()


class _Reader:
    """Goes through a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._commands: list[Command] = []
        self._command = Command([])
        #: The word that is being read; None between words. Whether a part of it was quoted.
        self._word: str | None = None
        self._is_quoted = False
        #: What the next word is instead of an argument: `>` a file, `<<` the end of a document, `<<<` an input.
        self._redirects = ""
        self._heres: list[_Here] = []

    def read(self) -> list[Command]:
        """All of it."""
        while self._peek():
            self._take(self._next())
        self._end_command()
        return self._commands

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _next(self) -> str:
        character = self._peek()
        if not character:
            raise NotUnderstood
        self._place += 1
        return character

    def _take(self, character: str) -> None:
        if character in _BLANKS:
            self._end_word()
        elif character in _ENDS or (character == "{" and self._word is None and self._peek() in (*_BLANKS, "\n")):
            self._end_command()
            if character == "\n":
                self._read_heres()
        elif character == "#" and self._word is None:
            self._place = self._end_of_line()
        elif character in "<>":
            self._redirect(character)
        elif character in "'\"":
            self._quoted(character)
        elif character == "\\":
            self._escaped()
        else:
            self._add(self._expanded(character))

    def _add(self, text: str) -> None:
        self._word = (self._word or "") + text

    def _escaped(self) -> None:
        character = self._next()
        if character != "\n":
            self._is_quoted = True
            self._add(character)

    def _quoted(self, mark: str) -> None:
        self._is_quoted = True
        self._add(self._until("'") if mark == "'" else "")
        while mark == '"' and (character := self._next()) != '"':
            if character == "\\" and self._peek() in ('"', "\\", "$", "`", "\n"):
                self._escaped()
            else:
                self._add(self._expanded_in_quotes(character) if character in "$`" else character)

    def _until(self, end: str) -> str:
        start = self._place
        while self._next() != end:
            pass
        return self._text[start : self._place - 1]

    def _expanded(self, character: str) -> str:
        """What stands for a character that a shell may replace."""
        if character == "`":
            self._command.texts.append(self._to_backquote())
        elif character == "$":
            return self._variable()
        elif character in "[{":
            return ANYTHING if self._skip_choice({"[": "]", "{": "}"}[character]) else character
        elif character not in "*?":
            return character
        return ANYTHING

    def _expanded_in_quotes(self, character: str) -> str:
        """It stays one word, unless it is a list."""
        start = self._place
        expanded = self._expanded(character)
        is_list = any(mark in self._text[start : self._place] for mark in "@*")
        return ANY_WORD if expanded == ANYTHING and not is_list else expanded

    def _skip_choice(self, closing: str) -> bool:
        """Skip `a,b}` or `a-z]`; says whether there was such a thing."""
        rest = re.split(r"[\s;&|()<>]", self._text[self._place : self._place + 1000], maxsplit=1)[0]
        choice, found, _ = rest.rpartition(closing)
        if any(mark in choice for mark in "'\"`$\\"):
            raise NotUnderstood
        self._place += len(choice) + len(found)
        return bool(found)

    def _variable(self) -> str:
        after = self._peek()
        if after and after in "({":
            self._place += 1
            inner = self._to_bracket(after)
            self._command.texts += [inner] if after == "(" else _substitutions(inner)
        elif after == "'":
            self._place += 1
            while (character := self._next()) != "'":
                if character == "\\":
                    self._next()
        elif after.isalnum() or after == "_":
            while self._peek().isalnum() or self._peek() == "_":
                self._place += 1
        elif after and after in "?@*#$!-":
            self._place += 1
        else:
            return "" if after == '"' else "$"
        return ANYTHING

    def _to_backquote(self) -> str:
        text = ""
        while (character := self._next()) != "`":
            text += self._next() if character == "\\" and self._peek() in ("`", "$", "\\") else character
        return text

    def _to_bracket(self, opening: str) -> str:
        """The text up to the bracket that closes. One in quotes leaves them open: that is found out when it is read."""
        closing = {"(": ")", "{": "}"}[opening]
        start, depth = self._place, 1
        while depth:
            character = self._next()
            depth += (character == opening) - (character == closing)
        return self._text[start : self._place - 1]

    def _end_of_line(self) -> int:
        found = self._text.find("\n", self._place)
        return len(self._text) if found < 0 else found

    def _redirect(self, character: str) -> None:
        if self._word is not None and self._word.isdigit():
            self._word = None
        self._end_word()
        sign = character
        while self._peek() and self._peek() in "<>&|-":
            sign += self._next()
        if self._peek() != "(":  # What follows such a bracket is a command of its own.
            self._redirects = sign

    def _end_word(self) -> None:
        word, self._word = self._word, None
        is_raw, self._is_quoted = self._is_quoted, False
        if word is None:
            return
        sign, self._redirects = self._redirects, ""
        if sign == "<<<":
            self._command.input.append(word)
        elif sign.startswith("<<"):
            self._heres.append(_Here(word, is_raw, self._command))
        elif not sign and word != "}":
            self._command.words.append(word)

    def _end_command(self) -> None:
        self._end_word()
        self._redirects = ""
        if self._command.words or self._command.texts or self._command.input:
            self._commands.append(self._command)
        self._command = Command([])

    def _read_heres(self) -> None:
        """The documents whose commands ended with this line."""
        heres, self._heres = self._heres, []
        for here in heres:
            lines = []
            while self._peek():
                end = self._end_of_line()
                line = self._text[self._place : end]
                self._place = min(end + 1, len(self._text))
                if line.strip("\t") == here.end:
                    break
                lines.append(line)
            self._document("\n".join(lines), here)

    def _document(self, text: str, here: _Here) -> None:
        here.command.input.append(text)
        if not here.is_raw:
            here.command.texts += _substitutions(text)


def _substitutions(text: str) -> list[str]:
    """What a shell runs to fill in a text in which nothing else is special."""
    quoted = '"' + text.replace('"', " ") + '"'
    return [each for command in _Reader(quoted).read() for each in command.texts]
