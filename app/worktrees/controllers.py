"""The worktrees of a project, and what a person does to one by hand: make again, remove, prune."""

from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.web.forms import read_form
from app.web.referrer import came_from
from app.web.replies import after_change, page, see_other
from app.web.templates import dom_id
from app.worktrees.clearing import clear
from app.worktrees.forms import Clear, Prune
from app.worktrees.prune_page import prune_page, result_address
from app.worktrees.pruning import prune
from app.worktrees.queries import worktrees_page
from app.worktrees.removing import remove_by_hand
from app.worktrees.repeating import repeat
from app.worktrees.restoring import restore
from app.worktrees.rows import WorktreeRow, get_worktree


class ProjectWorktreesController(Controller):
    """`/projects/{id}/worktrees` and below it."""

    path = "/projects/{project_id:str}/worktrees"

    @get()
    async def index(self, request: Request[Any, Any, Any], project_id: str, cleared: str = "") -> Response[str]:
        """Those that exist, then those that were removed."""
        project = await get_project(project_id)
        frame = await project_frame(request, project, "Worktrees")
        return page(request, "worktrees/index.html", frame, listed=await worktrees_page(project, cleared))

    @post("/clear")
    async def clear(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Remove a worktree that no row knows, once its work is committed."""
        project = await get_project(project_id)
        form = await read_form(request, Clear)
        cleared = await clear(project, form.path, form.head, person.actor)
        return after_change(request, f"/projects/{project.id}/worktrees?{urlencode({'cleared': cleared.branch})}")

    @get("/prune")
    async def show_prune(
        self, request: Request[Any, Any, Any], project_id: str, gone: str = "", stayed: str = ""
    ) -> Response[str]:
        """What pruning takes and leaves; with `gone` and `stayed` also what one has just taken and left."""
        project = await get_project(project_id)
        frame = await project_frame(request, project, "Worktrees")
        shown = await prune_page(project, gone.split(","), stayed.split(","))
        return page(request, "worktrees/prune.html", frame, prune=shown)

    @post("/prune")
    async def prune(self, request: Request[Any, Any, Any], project_id: str, person: Person) -> Response[Any]:
        """Remove the chosen worktrees that are still as they were shown."""
        project = await get_project(project_id)
        form = await read_form(request, Prune)
        pruned = await prune(project, form.worktree, person.actor)
        return after_change(request, result_address(project, pruned))


class WorktreeController(Controller):
    """`/worktrees/{id}`."""

    path = "/worktrees/{worktree_id:str}"

    @get()
    async def show(self, worktree_id: str) -> Response[Any]:
        """To its place in the list."""
        worktree = await get_worktree(worktree_id)
        return see_other(f"/projects/{worktree.project_id}/worktrees#{dom_id('worktree', worktree.id)}")

    @post("/remove")
    async def remove(self, request: Request[Any, Any, Any], worktree_id: str, person: Person) -> Response[Any]:
        """Take the folder away; its work is committed first, its branch stays."""
        return _back(request, await remove_by_hand(worktree_id, person.actor))

    @post("/restore")
    async def restore(self, request: Request[Any, Any, Any], worktree_id: str, person: Person) -> Response[Any]:
        """Make it again from its branch, or tell git where it is."""
        return _back(request, await restore(worktree_id, person.actor))

    @post("/steps/{name:str}/again")
    async def repeat(
        self, request: Request[Any, Any, Any], worktree_id: str, name: str, person: Person
    ) -> Response[Any]:
        """Have the next run begin with this step."""
        return _back(request, await repeat(worktree_id, name, person.actor))


def _back(request: Request[Any, Any, Any], worktree: WorktreeRow) -> Response[Any]:
    return after_change(request, came_from(request) or f"/projects/{worktree.project_id}/worktrees")
