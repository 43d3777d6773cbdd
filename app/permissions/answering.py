"""Answer a question. Of two people who answer at once, one does, and the other is told who."""

from app.events.recording import Actor
from app.permissions.forms import PermissionAnswer
from app.permissions.rows import PermissionRow, get_permission
from app.permissions.states import ANSWERS, change
from app.projects.locking import locked


async def answer(request_id: str, form: PermissionAnswer, actor: Actor) -> PermissionRow:
    """The question with its answer. 409 `PERMISSION_SETTLED` when it has one already, or when nobody waits for it."""
    request = await get_permission(request_id)
    async with locked(request.project_id):
        return await change(request, ANSWERS[form.decision], actor=actor, note=form.note)
