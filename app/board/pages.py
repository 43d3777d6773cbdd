"""The whole pages of the board."""

from typing import Any

from litestar import Request, Response

from app.board.cards import render_cards
from app.board.views import Board, Overview
from app.projects.views import NewProject
from app.web import replies
from app.web.context import PageContext


def board_page(
    request: Request[Any, Any, Any], context: PageContext, board: Board, status_code: int = 200
) -> Response[str]:
    """The board of one project; 422 when its form of a new card comes back."""
    return replies.page(request, "board/page.html", context, status_code, board=board, render_cards=render_cards)


def overview_page(
    request: Request[Any, Any, Any], context: PageContext, overview: Overview, new_project: NewProject | None = None
) -> Response[str]:
    """All projects; the first-run page when there are none."""
    return replies.page(
        request, "projects/index.html", context, overview=overview, new_project=new_project or NewProject()
    )
