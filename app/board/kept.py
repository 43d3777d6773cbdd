"""The board and its page, made once for each number of the event log; viewers differ only in what is filled in.

Whatever a board shows changes in a transaction that records an event of its project. So who reads the newest number
first and the board after it knows the board at least as it was at that number, for as long as no newer one is there.
"""

import asyncio
import contextvars
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

import msgspec
from litestar import Response

from app.board.cards import render_cards
from app.board.queries import board_of
from app.board.views import Board
from app.projects.rows import ProjectRow
from app.web.context import PageContext
from app.web.fragments import TOKEN_PLACE, Cut, cut
from app.web.replies import kept_page
from app.web.templates import render

#: Seconds after which a board is read again whatever the log says: somebody may have written to the tables by hand.
LIFE_S = 2.0
#: How many are kept; a page of 200 cards takes about 1 MB.
_BOARDS, _PAGES = 32, 16

Thing = TypeVar("Thing")


class _Shelf(Generic[Thing]):
    """The newest few things, each for `LIFE_S`; who asks while one is being made waits for that one."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._things: OrderedDict[Hashable, tuple[float, asyncio.Future[Thing]]] = OrderedDict()

    async def take(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, Thing]]) -> Thing:
        """The thing of `key`, made now where it is missing, too old, or could not be made before."""
        now = time.monotonic()
        made_at, thing = self._things.get(key, (0.0, None))
        if thing is None or now - made_at > LIFE_S or (thing.done() and _failed(thing)):
            thing = asyncio.get_running_loop().create_task(make(), context=contextvars.Context())
            self._things[key] = (now, thing)
        self._things.move_to_end(key)
        while len(self._things) > self._size:
            self._things.popitem(last=False)
        return await asyncio.shield(thing)


def _failed(thing: asyncio.Future[Thing]) -> bool:
    return thing.cancelled() or thing.exception() is not None


_boards: _Shelf[Board] = _Shelf(_BOARDS)
_pages: _Shelf[Cut] = _Shelf(_PAGES)


async def board_at(project: ProjectRow, number: int) -> Board:
    """The whole board, at least as new as the event `number`, which was the project's newest a moment ago."""
    return await _boards.take((project, number), lambda: board_of(project))


async def board_page(context: PageContext, project: ProjectRow, number: int) -> Response[bytes]:
    """The page of the whole board for one viewer; `context` names everything else that the page shows."""
    shared = msgspec.structs.replace(context, csrf_token=TOKEN_PLACE)

    async def make() -> Cut:
        board = await board_at(project, number)
        return cut(render("board/page.html", page=shared, board=board, render_cards=render_cards))

    return kept_page(await _pages.take((project, number, shared), make), context.csrf_token)
