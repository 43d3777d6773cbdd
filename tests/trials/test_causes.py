"""A failure is told in plain words, whichever program said it in its own."""

import pytest

from app.trials.causes import cause_of

SAID = [
    ("runner_missing", "Claude Code has no key: set ANTHROPIC_API_KEY.", "key or a sign-in is missing"),
    ("runner_missing", "opencode wants a sign-in or a key: Authentication required", "key or a sign-in is missing"),
    ("process_exit", "Missing environment variable: `OPENAI_API_KEY`.", "key or a sign-in is missing"),
    ("runner_missing", "The program 'codex' was not found on PATH.", "not on this machine"),
    ("api_error", "API Error: 401 invalid x-api-key", "did not accept"),
    ("api_error", "unexpected status 401 Unauthorized: no", "did not accept"),
    ("api_error", "429 Too Many Requests: rate_limit_error", "takes no more requests"),
    ("api_error", "API Error: Unable to connect to API (ConnectionRefused)", "cannot be reached"),
    ("process_exit", "stream disconnected before completion: error sending request", "cannot be reached"),
    ("process_exit", "TypeError: fetch failed: getaddrinfo ENOTFOUND api.example", "cannot be reached"),
    ("api_error", "404 The model `huge` does not exist", "does not have that model"),
    ("api_error", "API Error: 529 overloaded", "fault of its own"),
    ("stalled", "", "said nothing for too long"),
    ("timeout", "Reading files", "not done in time"),
    ("turn_limit", "the last call said 401", "all of its turns"),
    ("process_exit", "Segmentation fault", "ended with an error"),
]  # fmt: skip


@pytest.mark.parametrize(("ending", "said", "told"), SAID)
def test_what_was_said_is_told_in_plain_words(ending: str, said: str, told: str) -> None:
    assert told in cause_of(ending, [said], "Sign in.").text


def test_the_program_s_own_way_to_sign_in_is_what_helps() -> None:
    assert cause_of("api_error", ["401"], "Run 'codex login'.").help == "Run 'codex login'."
