"""What every answer says about itself, and which names we answer to."""

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from app.web.security import AllowedHosts, own_names

Client = TestClient[Litestar]


@pytest.mark.parametrize("path", ["/form", "/nowhere", "/raise/bug", "/theme", "/static/x/app.css"])
def test_every_answer_forbids_what_we_never_use(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "font-src": "'none'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8000",
        "LOCALHOST",
        "127.0.0.1:1",
        "[::1]:8000",
        "192.168.1.20:8000",
        "board.example.lan",
        "a.localhost",
    ],
)
def test_our_own_names_and_addresses_in_figures_are_answered(client: Client, host: str) -> None:
    assert client.get("/form", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "board.example.lan.evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1", ""],
)
def test_any_other_name_is_refused_with_a_sentence(client: Client, host: str) -> None:
    answer = client.get("/form", headers={"host": host})
    assert answer.status_code == 400
    assert 'data-error-code="UNKNOWN_HOST"' in answer.text
    assert "AGENTPANE_ALLOWED_HOSTS" in answer.text


def test_the_settings_name_our_names() -> None:
    names = own_names("board.lan", "https://Agents.Example.org:8443/x", ("ap.example.com",))
    assert names == {"board.lan", "agents.example.org", "ap.example.com"}
    assert AllowedHosts(names).is_ours("agents.example.org")
