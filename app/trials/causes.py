"""Why a program failed, in plain words: told by the words that programs and model services use for it."""

import re
from collections.abc import Iterable

from msgspec import Struct

from app.runners.base import ErrorType


class Cause(Struct, frozen=True):
    """What was wrong, and what helps."""

    text: str
    help: str = ""


#: What helps where nobody knows the program's own way.
_SIGN_IN = "Set its key where AgentPane starts, or sign in to the program once."
_NO_KEY = Cause("A key or a sign-in is missing.", "{sign_in}")
_REFUSED = Cause("The model's service did not accept the key or the sign-in.", "{sign_in}")
_LIMIT = Cause(
    "The model's service takes no more requests for now.",
    "The account's limit or its money is used up: look at the account, or try again later.",
)
_AWAY = Cause(
    "The model's service cannot be reached.",
    "Look at the address that is set (such as ANTHROPIC_BASE_URL), at the network, and at the proxy.",
)
_NO_MODEL = Cause("The model's service does not have that model.", "Change the model of the agent.")
_BROKEN = Cause("The model's service has a fault of its own.", "Try again later.")

#: The first that is found in what was said decides.
_WORDS: tuple[tuple[str, Cause], ...] = (
    (r"has no key|no api key|api key (is )?(missing|not (set|found))|missing .{0,40}(api[ _]?key|environment variable)"
     r"|wants a sign-in|not (logged|signed) in|please (run )?.{0,10}/?log ?in|invalid auth method"
     r"|authentication required", _NO_KEY),
    (r"\b40[13]\b|unauthori[sz]ed|authentication|invalid .{0,12}api.?key|incorrect api key|permission_denied",
     _REFUSED),
    (r"\b429\b|rate.?limit|quota|insufficient_|credit balance", _LIMIT),
    (r"\b404\b.{0,80}model|model.{0,60}(not found|not exist|not supported|not available)|unknown model", _NO_MODEL),
    (r"econnrefused|enotfound|econnreset|eai_again|connection ?(error|refused|reset|closed)|connectionrefused"
     r"|unable to connect|error sending request|fetch failed|cannot connect|stream disconnected|failed to connect"
     r"|unreachable|name resolution", _AWAY),
    (r"\b5\d\d\b|overloaded|internal server error|service unavailable", _BROKEN),
)  # fmt: skip
_BY_TYPE: dict[str, Cause] = {
    "runner_missing": Cause("The program is not on this machine."),
    "setup_failed": Cause("The program could not be started."),
    "process_exit": Cause("The program ended with an error."),
    "api_error": Cause("The model's service refused or gave an error."),
    "tool_denied": Cause("It did without asking what its rules refuse.", "Look at allowed tools and permissions."),
    "turn_limit": Cause("It used all of its turns.", "Give it more turns, or ask for less."),
    "stalled": Cause(
        "It said nothing for too long.",
        "Many programs are silent when their model cannot be reached or refuses: look at the key and the address.",
    ),
    "timeout": Cause("It was not done in time.", "Ask for less, or look at what it waits for."),
    "interrupted": Cause("The server was stopped."),
}
#: Endings that say by themselves what happened, whatever was printed.
_CLEAR = ("tool_denied", "turn_limit", "interrupted")


def cause_of(error_type: ErrorType, said: Iterable[str], sign_in: str = "") -> Cause:
    """The cause of a failure in which `said` was said, the clearest words first. `sign_in` is how one signs in."""
    if error_type not in _CLEAR:
        for text in said:
            for words, cause in _WORDS:
                if re.search(words, text, re.IGNORECASE):
                    return Cause(cause.text, cause.help.format(sign_in=sign_in or _SIGN_IN))
    return _BY_TYPE.get(error_type, Cause("It failed."))
