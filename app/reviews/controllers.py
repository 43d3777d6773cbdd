"""The review page and its two decisions."""

import os
from typing import Any

from litestar import Controller, Request, Response, get, post

from app.accounts.people import Person, name_cookie
from app.errors import Conflict, Invalid
from app.projects.frame import project_frame
from app.projects.rows import get_project
from app.reviews.approving import approve
from app.reviews.checking import check_before, run_checks
from app.reviews.forms import Approval, Rejection, Undoing
from app.reviews.queries import file_page, review_page
from app.reviews.rejecting import reject
from app.reviews.resolving import send_back_with_conflict
from app.reviews.undoing import undo
from app.tasks.queries import task_page
from app.tasks.rows import TaskRow, get_task
from app.tasks.views import PageNotice
from app.web.context import page_context
from app.web.errors import wants_json
from app.web.forms import Entered, entered, form_items, parse_form
from app.web.replies import after_change, html_response, page, see_other, wants_partials
from app.web.templates import render

#: Refusals of an approval after which the page is shown anew, saying why.
_SHOWN_AGAIN = (
    "TASK_STALE_DIFF",
    "CHECKOUT_DIRTY",
    "CHECKOUT_BUSY",
    "WORKTREE_MERGE_CONFLICT",
    "TASK_NO_DIFF",
    "SIGNING_FAILED",
    "CHECKS_FAILED",
)
#: Fields of a form that say what was shown, not what was typed.
_OF_THE_PAGE = ("_csrf_token", "digest", "base_oid", "head_oid")


class ReviewController(Controller):
    """`/tasks/{id}/review`: the diff and the decision."""

    path = "/tasks/{task_id:str}"

    @get("/review")
    async def show(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Diff and decision; of a task that is merged or not yet done, its own page tells."""
        task = await get_task(task_id)
        if task.column in ("backlog", "verified"):
            return see_other(f"/tasks/{task_id}")
        return await _page(request, task, person)

    @get("/diff/{path:path}")
    async def file(self, request: Request[Any, Any, Any], task_id: str, path: str) -> Response[str]:
        """One file of the diff, whole."""
        task = await get_task(task_id)
        one = await file_page(task, os.fsdecode(os.fsencode(path.removeprefix("/"))))
        if wants_partials(request):
            html = render("reviews/_file.html", view=one.file)
            return html_response(request, html, page_context(request).csrf_token)
        frame = await project_frame(request, await get_project(task.project_id), "Board")
        return page(request, "reviews/file.html", frame, one=one)

    @post("/approve")
    async def approve(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Merge exactly what was shown, or accept it without a merge."""
        items = await form_items(request)
        try:
            form = parse_form(Approval, items)
            signed = Person(person.id, form.approved_by or person.name)
            if not (form.accept_without_merge or form.despite_checks):
                await check_before(
                    task_id, form.digest, signed.actor, _environment(request), request.app.state.settings
                )
            task = await approve(task_id, form, signed.actor)
        except Invalid as wrong:
            task = await get_task(task_id)
            form_again = {"approve_form": entered(items, wrong), "open_form": "approve"}
            return await _page(request, task, person, 422, **form_again)
        except Conflict as refusal:
            return await _refused(request, task_id, person, refusal, items)
        response = after_change(request, f"/tasks/{task.id}")
        if form.approved_by:
            response.set_cookie(name_cookie(form.approved_by))
        return response

    @post("/reject")
    async def reject(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Send the work back with a reason."""
        items = await form_items(request)
        try:
            task = await reject(task_id, parse_form(Rejection, items).reason, person.actor)
        except Invalid as wrong:
            task = await get_task(task_id)
            form_again = {"reject_form": entered(items, wrong), "open_form": "reject"}
            return await _page(request, task, person, 422, **form_again)
        return after_change(request, f"/sessions/{task.session_id}" if task.session_id else f"/tasks/{task.id}")

    @post("/checks")
    async def checks(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Run the checks of the project on this task, and show what they print."""
        await run_checks(task_id, person.actor, _environment(request), request.app.state.settings)
        return after_change(request, f"/tasks/{task_id}/review#checks")

    @post("/conflict")
    async def conflict(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Send the work back with the base merged into its branch, for the agent to resolve what conflicts."""
        try:
            task = await send_back_with_conflict(task_id, person.actor)
        except Conflict as refusal:
            return await _refused(request, task_id, person, refusal, {}, "Nothing was sent back.")
        return after_change(request, f"/sessions/{task.session_id}" if task.session_id else f"/tasks/{task.id}")

    @post("/undo")
    async def undo(self, request: Request[Any, Any, Any], task_id: str, person: Person) -> Response[Any]:
        """Take the merge back and open the task again."""
        items = await form_items(request)
        try:
            task = await undo(task_id, parse_form(Undoing, items).reason, person.actor)
        except Invalid as wrong:
            return await _task_page(request, await get_task(task_id), 422, undo_form=entered(items, wrong))
        except Conflict as refusal:
            return await _undo_refused(request, task_id, refusal, items)
        return after_change(request, f"/tasks/{task.id}")


def _environment(request: Request[Any, Any, Any]) -> dict[str, str]:
    """What a check may see of ours: as much as an agent."""
    environment: dict[str, str] = request.app.state.settings.agent_environment
    return environment


async def _undo_refused(
    request: Request[Any, Any, Any], task_id: str, refusal: Conflict, items: dict[str, list[str]]
) -> Response[Any]:
    """The task's page with the refusal above it and the reason kept; where nothing can be undone, the plain error."""
    task = await get_task(task_id)
    if task.column != "verified":
        raise refusal
    values = {name: each[-1] for name, each in items.items() if name == "reason"}
    notice = _notice("The merge was not undone.", refusal)
    return await _task_page(request, task, 409, notices=(notice,), undo_form=Entered(values))


async def _task_page(request: Request[Any, Any, Any], task: TaskRow, status_code: int, **answer: Any) -> Response[str]:
    frame = await project_frame(request, await get_project(task.project_id), "Board")
    return page(request, "tasks/page.html", frame, status_code, task=await task_page(task, **answer))


def _notice(title: str, refusal: Conflict) -> PageNotice:
    paths = tuple(str(path) for path in refusal.details.get("paths", ()))
    return PageNotice(title=title, text=refusal.message, tone="need", code=refusal.code, items=paths[:20])


async def _refused(
    request: Request[Any, Any, Any],
    task_id: str,
    person: Person,
    refusal: Conflict,
    items: dict[str, list[str]],
    title: str = "Your approval was not taken.",
) -> Response[Any]:
    """The review page as it is now, with the refusal above it and what was typed kept; else the plain error."""
    task = await get_task(task_id)
    if refusal.code not in _SHOWN_AGAIN or task.column != "waiting_approval" or wants_json(request):
        raise refusal
    values = {
        name: each[-1] for name, each in items.items() if name not in ("_csrf_token", "digest", "base_oid", "head_oid")
    }
    notice = _notice(title, refusal)
    return await _page(request, task, person, 409, notices=(notice,), approve_form=Entered(values))


async def _page(
    request: Request[Any, Any, Any], task: TaskRow, person: Person, status_code: int = 200, **answer: Any
) -> Response[str]:
    review = await review_page(task, person, **answer)
    frame = await project_frame(request, await get_project(task.project_id), "Board")
    return page(request, "reviews/page.html", frame, status_code, review=review)
