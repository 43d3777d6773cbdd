"""The place of a question on a page, as a partial for replies and for the stream."""

from app.permissions.views import PermissionView
from app.web.replies import Partial
from app.web.templates import dom_id, render


def request_changed(request: PermissionView) -> Partial:
    """The question as it is now, where it stands; nothing happens on a page that does not show it."""
    html = render("permissions/_request.html", request=request)
    return Partial(f"#{dom_id('permission', request.id)}", html, "outerHTML")
