"""From a URL-encoded form to a msgspec struct, with every wrong field named at once.

The struct says the limits (`Annotated[str, Meta(min_length=1, max_length=100)]`), this module says the sentences.
A limit whose sentence should be another carries it: `Meta(pattern="…", extra={"sentence": "Use letters only."})`.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from litestar import Request
from msgspec import Struct, inspect

from app.errors import Invalid

Form = TypeVar("Form", bound=Struct)

REQUIRED = "Fill this in."


class Entered(Struct, frozen=True):
    """What a person typed, and what was wrong with it: the form comes back with both."""

    values: Mapping[str, str] = {}
    errors: Mapping[str, str] = {}

    def value(self, name: str, otherwise: object = "") -> str:
        """What was typed into `name`; before anything was typed, what is stored."""
        return self.values[name] if name in self.values else "" if otherwise is None else str(otherwise)

    def checked(self, name: str, otherwise: bool = False) -> bool:
        """Whether a box was ticked; before the form was sent, what is stored."""
        return name in self.values if self.values else otherwise

    def error(self, name: str) -> str:
        """The sentence beside `name`, or nothing."""
        return self.errors.get(name, "")


async def read_form(request: Request[Any, Any, Any], form: type[Form]) -> Form:
    """The request's form as `form`. Raises `Invalid` with a sentence for each wrong field."""
    return parse_form(form, await form_items(request))


async def form_items(request: Request[Any, Any, Any]) -> dict[str, list[str]]:
    """The raw fields: needed to give a form back as it was typed."""
    items: dict[str, list[str]] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            items.setdefault(name, []).append(value)
    return items


def entered(items: Mapping[str, Sequence[str]], wrong: Invalid) -> Entered:
    """The form again: its input kept, each error beside its field."""
    values = {name: ", ".join(all_of) for name, all_of in items.items() if name != "_csrf_token"}
    return Entered(values, wrong.fields)


def parse_form(form: type[Form], items: Mapping[str, Sequence[str]]) -> Form:
    """`items` as `form`. Raises `Invalid` with a sentence for each wrong field; unknown fields are passed over."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in _fields(form):
        try:
            typed = [_clean(value) for value in items.get(field.encode_name, ())]
            value = _value(field.type, typed)
            if value is not None or not field.required:
                values |= {field.name: value} if value is not None or _is_optional(field.type) else {}
            else:
                errors[field.encode_name] = REQUIRED
        except ValueError as wrong:
            errors[field.encode_name] = str(wrong)
    if errors:
        raise Invalid(errors)
    return form(**values)


@cache
def _fields(form: type[Struct]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(form)
    assert isinstance(described, inspect.StructType)
    return described.fields


def _clean(text: str) -> str:
    """Browsers send CRLF; PostgreSQL text cannot hold NUL, nor can UTF-8 hold a lone surrogate."""
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_optional(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.UnionType) and kind.includes_none


def _value(kind: inspect.Type, typed: list[str]) -> Any:
    """What was typed, as `kind`; None where nothing was. Raises ValueError with the sentence."""
    sentence = ""
    if isinstance(kind, inspect.Metadata):
        sentence, kind = (kind.extra or {}).get("sentence", ""), kind.type
    try:
        return _plain_value(kind, typed)
    except ValueError as wrong:
        raise ValueError(sentence or str(wrong)) from None


def _plain_value(kind: inspect.Type, typed: list[str]) -> Any:
    if isinstance(kind, inspect.UnionType):
        (inner,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
        return _value(inner, typed) if any(typed) else None
    if isinstance(kind, inspect.BoolType):
        return bool(typed) and typed[-1].lower() not in ("", "false", "0", "off")
    if isinstance(kind, (inspect.ListType, inspect.VarTupleType)):
        return _words(kind, typed)
    empty = not typed or (not typed[-1] and not isinstance(kind, inspect.StrType))
    return None if empty else _READERS[type(kind)](kind, typed[-1])


def _text(kind: inspect.StrType, text: str) -> str:
    if kind.min_length and not text:
        raise ValueError(REQUIRED)
    if kind.min_length and len(text) < kind.min_length:
        raise ValueError(f"Use at least {kind.min_length:,} characters.")
    if kind.max_length is not None and len(text) > kind.max_length:
        raise ValueError(f"Use at most {kind.max_length:,} characters; this has {len(text):,}.")
    if kind.pattern and not re.search(kind.pattern, text):
        raise ValueError("This is not in the form that is needed here.")
    return text


def _number(kind: inspect.IntType | inspect.FloatType, text: str) -> int | float:
    whole = isinstance(kind, inspect.IntType)
    try:
        number = int(text) if whole else float(text.replace(",", "."))
    except ValueError:
        raise ValueError("Give a whole number." if whole else "Give a number.") from None
    if not (_least(kind) <= number <= _most(kind)):
        raise ValueError(_range(kind))
    return number


def _least(kind: inspect.IntType | inspect.FloatType) -> float:
    return -math.inf if kind.ge is None else kind.ge


def _most(kind: inspect.IntType | inspect.FloatType) -> float:
    return math.inf if kind.le is None else kind.le


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f"Choose {kind.ge:g} to {kind.le:g}."
    return f"Choose {kind.ge:g} or more." if kind.ge is not None else f"Choose {kind.le:g} or less."


def _choice(kind: inspect.LiteralType | inspect.EnumType, text: str) -> Any:
    values = kind.values if isinstance(kind, inspect.LiteralType) else tuple(each.value for each in kind.cls)
    if text not in values:
        raise ValueError(f"Choose one of {', '.join(str(value) for value in values)}.")
    return text if isinstance(kind, inspect.LiteralType) else kind.cls(text)


_READERS: dict[type[inspect.Type], Callable[[Any, str], Any]] = {
    inspect.StrType: _text,
    inspect.IntType: _number,
    inspect.FloatType: _number,
    inspect.LiteralType: _choice,
    inspect.EnumType: _choice,
}


def _words(kind: inspect.ListType | inspect.VarTupleType, typed: list[str]) -> Any:
    """Repeated fields and comma-separated ones alike; each word once, in the order given.

    A comma inside brackets belongs to the word: `Bash(git log --format=%h,%s)` is one tool.
    """
    words = list(dict.fromkeys(word for text in typed for word in _split(text)))
    if kind.max_length is not None and len(words) > kind.max_length:
        raise ValueError(f"Give at most {kind.max_length}; these are {len(words)}.")
    items = [_value(kind.item_type, [word]) for word in words]
    return tuple(items) if isinstance(kind, inspect.VarTupleType) else items


def _split(text: str) -> list[str]:
    words, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "\n" or (character == "," and depth <= 0):
            words.append("")
            depth = 0
        else:
            words[-1] += character
    return [word.strip() for word in words if word.strip()]
