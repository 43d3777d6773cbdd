"""Tokens and money in the words of several programs. The protocol leaves both open, so what is not known stays None."""

from typing import Any

from app.runners.base import Usage

#: Programs that tell only what the last answer of a turn cost.
_TELL_LAST_ANSWER = ("opencode",)
_READ, _WRITTEN = ("cachedReadTokens", "cachedInputTokens"), ("cachedWriteTokens",)
_KINDS = (("inputTokens", *_READ, *_WRITTEN), ("outputTokens",), _READ, _WRITTEN)


class Spent:
    """What a run has used so far."""

    def __init__(self, before: Usage) -> None:
        self._tokens_in, self._tokens_out = before.input_tokens, before.output_tokens
        self._read, self._written = before.cache_read_tokens, before.cache_write_tokens
        self._cost = self._cost_before = before.cost_usd
        #: Set once an answer came whose tokens nobody told: then the sum is not known any more.
        self._is_unknown = False

    @property
    def usage(self) -> Usage:
        unknown = self._is_unknown
        return Usage(
            input_tokens=None if unknown else self._tokens_in,
            output_tokens=None if unknown else self._tokens_out,
            cost_usd=self._cost,
            cache_read_tokens=None if unknown else self._read,
            cache_write_tokens=None if unknown else self._written,
        )

    def told_cost(self, update: dict[str, Any]) -> None:
        """A `usage_update`: its cost counts from the program's start; 0 is what programs say that know no price."""
        cost = update.get("cost")
        amount = cost.get("amount") if isinstance(cost, dict) and cost.get("currency") == "USD" else None
        if isinstance(amount, int | float) and amount > 0:
            self._cost = amount + (self._cost_before or 0)

    def answered(self, answer: dict[str, Any], program: str, turns: int) -> None:
        """The answer to one prompt, which took that many turns of the model."""
        tokens = _tokens(answer)
        if tokens is None or (turns != 1 and any(name in program.lower() for name in _TELL_LAST_ANSWER)):
            self._is_unknown = True
            return
        self._tokens_in = (self._tokens_in or 0) + tokens[0]
        self._tokens_out = (self._tokens_out or 0) + tokens[1]
        self._read = (self._read or 0) + tokens[2]
        self._written = (self._written or 0) + tokens[3]


def _tokens(answer: dict[str, Any]) -> tuple[int, ...] | None:
    """Input (cached tokens counted too), output, and of the input what came from a cache and went into one.

    By model where told, which counts side questions too.
    """
    quota = _dict(_dict(answer.get("_meta")).get("quota"))
    by_model = quota.get("model_usage")
    models = [_dict(each).get("token_count") for each in by_model] if isinstance(by_model, list) else []
    told = [_dict(each) for each in models or [answer.get("usage") or quota.get("token_count")]]
    counts = [[_sum(each, names) for names in _KINDS] for each in map(_camel, told) if each]
    return tuple(map(sum, zip(*counts, strict=True))) if counts else None


def _sum(told: dict[str, Any], names: tuple[str, ...]) -> int:
    return sum(value for name in names if isinstance(value := told.get(name), int) and value > 0)


def _camel(told: dict[str, Any]) -> dict[str, Any]:
    """`input_tokens` is what some call `inputTokens`."""
    return {
        "".join(part.title() if n else part for n, part in enumerate(str(k).split("_"))): v for k, v in told.items()
    }


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
