"""The worktrees of a project, and the removal of one by hand."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.web.replies import after_change, page, see_other
from app.web.templates import dom_id
from app.worktrees.queries import worktrees_page
from app.worktrees.removing import remove_by_hand
from app.worktrees.rows import get_worktree


class WorktreeController(Controller):
    """`/projects/{id}/worktrees` and `/worktrees/{id}`."""

    @get("/projects/{project_id:str}/worktrees")
    async def index(self, request: Request[Any, Any, Any], project_id: str) -> Response[str]:
        """Those that exist, then those that were removed."""
        project = await get_project(project_id)
        frame = await project_frame(request, project, "Worktrees")
        return page(request, "worktrees/index.html", frame, listed=await worktrees_page(project))

    @get("/worktrees/{worktree_id:str}")
    async def show(self, worktree_id: str) -> Response[Any]:
        """To its place in the list."""
        worktree = await get_worktree(worktree_id)
        return see_other(f"/projects/{worktree.project_id}/worktrees#{dom_id('worktree', worktree.id)}")

    @post("/worktrees/{worktree_id:str}/remove")
    async def remove(self, request: Request[Any, Any, Any], worktree_id: str, person: Person) -> Response[Any]:
        """Take the folder away; its work is committed first, its branch stays."""
        worktree = await remove_by_hand(worktree_id, person.actor)
        return after_change(request, f"/projects/{worktree.project_id}/worktrees")
