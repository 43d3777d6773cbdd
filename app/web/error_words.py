"""What an error page says besides the error's own sentence: a heading, and what was kept."""

from msgspec import Struct


class Words(Struct, frozen=True):
    """`title` says what happened, `kept` what did not."""

    title: str
    kept: str = ""


_NOTHING_CHANGED = "Nothing was changed."

_BY_CODE = {
    "CSRF": Words(
        "This form is too old to be sent",
        "Nothing was changed. Go back, load the page again, and send the form once more.",
    ),
    "UNKNOWN_HOST": Words("This server goes by another name"),
    "TASK_STALE_DIFF": Words("The branch moved while you were reading", "Nothing was merged."),
    "TASK_NO_DIFF": Words("There is nothing to merge", _NOTHING_CHANGED),
    "TASK_INVALID_TRANSITION": Words("That cannot be done from here", _NOTHING_CHANGED),
    "WORKTREE_MERGE_CONFLICT": Words("The branch does not merge cleanly", "Nothing changed in your repository."),
    "CHECKOUT_DIRTY": Words("Your working copy has changes in the way", "Nothing changed in your repository."),
    "SIGNING_FAILED": Words("The merge could not be signed", "Nothing changed in your repository."),
    "CHECKS_FAILED": Words("Checks speak against this merge", "Nothing was merged."),
    "AGENT_ALREADY_RUNNING": Words("This agent is already at work", _NOTHING_CHANGED),
    "AGENT_NOT_RUNNING": Words("This agent is not at work", _NOTHING_CHANGED),
    "PROJECT_PATH_EXISTS": Words("This repository is already a project", _NOTHING_CHANGED),
    "PROJECT_HAS_RUNNING_AGENTS": Words("Agents are still at work here", _NOTHING_CHANGED),
    "PERMISSION_SETTLED": Words("This question is settled", "Your answer was not taken."),
    "BUDGET_SETTLED": Words("This question is settled", "Your answer was not taken."),
    "BUDGET_ASKED": Words("A limit is reached", _NOTHING_CHANGED),
    "SESSION_CLOSED": Words("This session is over", "Its record is kept."),
}
_BY_STATUS = {
    400: Words("This request cannot be read", _NOTHING_CHANGED),
    401: Words("Sign in first"),
    403: Words("This is not allowed", _NOTHING_CHANGED),
    404: Words("There is nothing here"),
    405: Words("This address does not take that kind of request", _NOTHING_CHANGED),
    409: Words("This is not possible right now", _NOTHING_CHANGED),
    413: Words("That is too large to take", "Nothing was stored."),
    422: Words("Some fields need another value", "Nothing was stored."),
    429: Words("Too many requests", "Wait a moment, then try again."),
    503: Words("Something we need is away for the moment", "Nothing is lost. Try again in a few seconds."),
}
_OURS = Words("Something went wrong on our side", "What was stored before is still there.")


def error_words(status: int, code: str) -> Words:
    """The words for `code`, else for its status."""
    return _BY_CODE.get(code) or _BY_STATUS.get(status) or _OURS
