"""What tokens cost. Pure and exact: sums of parts are the whole."""

from collections.abc import Sequence
from decimal import Decimal
from fnmatch import fnmatchcase

from msgspec import Struct

MILLION = 1_000_000
#: What a program tells in USD is kept to this.
SMALLEST = Decimal(1).scaleb(-12)


class Tokens(Struct, frozen=True, kw_only=True):
    """Tokens read and written; of those read, so many from a cache or into one, where that is known."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


class Price(Struct, frozen=True, kw_only=True):
    """USD for a million tokens of each kind; None of a cache: as other input."""

    id: str = ""
    pattern: str
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None

    def of(self, tokens: Tokens) -> Decimal:
        """What they cost, in USD."""
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        plain = tokens.input - tokens.cache_read - tokens.cache_write
        total = plain * self.input + tokens.output * self.output
        return (total + tokens.cache_read * read + tokens.cache_write * write) / MILLION


def price_for(model: str, prices: Sequence[Price]) -> Price | None:
    """The price of a model: of the patterns that fit, the one that says most."""
    fitting = [price for price in prices if fnmatchcase(model.lower(), _escaped(price.pattern))]
    return max(fitting, key=_says, default=None)


def _escaped(pattern: str) -> str:
    """Only a star is special: models have names such as `opus[1m]`."""
    return pattern.lower().replace("[", "[[]").replace("?", "[?]")


def _says(price: Price) -> tuple[int, str]:
    return len(price.pattern.replace("*", "")), price.pattern
