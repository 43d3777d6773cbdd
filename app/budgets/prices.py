"""The price table: one for the whole server, edited by people. It is asked when tokens are counted, never later."""

from typing import Any

import asyncpg

from app.budgets.forms import PriceForm
from app.budgets.pricing import Price
from app.budgets.tables import ModelPrice
from app.clock import now
from app.errors import Invalid, InvalidId, NotFound
from app.events.recording import Actor
from app.ids import create_id, is_id
from app.postgres.reading import one, rows

_SELECT = "SELECT id, pattern, input, output, cache_read, cache_write FROM model_prices"


async def all_prices() -> list[Price]:
    """Every price, by its pattern."""
    return await rows(Price, f"{_SELECT} ORDER BY lower(pattern), id")


async def get_price(price_id: str) -> Price:
    """The price, or `INVALID_ID` / `PRICE_NOT_FOUND`."""
    if not is_id(price_id):
        raise InvalidId("That is not the id of a price.")
    found = await one(Price, f"{_SELECT} WHERE id = $1", price_id)
    if found is None:
        raise NotFound("There is no such price.", "PRICE_NOT_FOUND")
    return found


async def add_price(form: PriceForm, actor: Actor) -> Price:
    """A new price; it counts from now on. `VALIDATION_ERROR` beside a pattern that has one."""
    price_id = create_id()
    try:
        await ModelPrice.insert(ModelPrice(id=price_id, **_columns(form, actor)))
    except asyncpg.UniqueViolationError as error:
        raise _is_there() from error
    return await get_price(price_id)


async def edit_price(price_id: str, form: PriceForm, actor: Actor) -> Price:
    """Change a price; what was counted stays as it was counted."""
    await get_price(price_id)
    try:
        await ModelPrice.update(_columns(form, actor)).where(ModelPrice.id == price_id)
    except asyncpg.UniqueViolationError as error:
        raise _is_there() from error
    return await get_price(price_id)


async def delete_price(price_id: str) -> None:
    """Take a price off the table."""
    await get_price(price_id)
    await ModelPrice.delete().where(ModelPrice.id == price_id)


def _columns(form: PriceForm, actor: Actor) -> dict[Any, Any]:
    named = {name: getattr(form, name) for name in form.__struct_fields__ if name != "pattern"}
    return {
        "pattern": form.pattern,
        **{name: form.decimal(name) for name in named},
        "updated_at": now(),
        "updated_by": actor.name,
    }


def _is_there() -> Invalid:
    return Invalid({"pattern": "This pattern has a price already. Change that one."})
