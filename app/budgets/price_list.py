"""What the page of prices shows."""

from msgspec import Struct

from app.budgets.prices import all_prices
from app.budgets.pricing import price_for
from app.budgets.views import PricesPage
from app.postgres.reading import rows
from app.web.forms import Entered


class _Unpriced(Struct, frozen=True):
    model: str
    tokens: int


async def prices_page(form: Entered | None = None, forms: dict[str, Entered] | None = None) -> PricesPage:
    """The table, and the models that it lacks."""
    prices = await all_prices()
    unpriced = await rows(
        _Unpriced,
        "SELECT model, sum(unpriced_tokens)::bigint AS tokens FROM run_usage GROUP BY model"
        " HAVING sum(unpriced_tokens) > 0 ORDER BY 2 DESC, 1 LIMIT 20",
    )
    return PricesPage(
        prices=tuple(prices),
        unpriced=tuple((each.model, each.tokens) for each in unpriced if price_for(each.model, prices) is None),
        form=form or Entered(),
        forms=forms or {},
    )
