"""One error in three shapes, and never more than a person may see."""

import logging

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from app.web import errors

Client = TestClient[Litestar]


def test_a_person_gets_a_page_that_says_what_happened_what_was_kept_and_where_to_go(client: Client) -> None:
    answer = client.get("/raise/conflict", headers={"referer": "http://127.0.0.1/projects/p1?q=x"})
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("text/html")
    assert 'data-error-code="TASK_INVALID_TRANSITION"' in answer.text
    assert "Send it back first." in answer.text
    assert "Nothing was changed." in answer.text
    assert 'href="/projects/p1?q=x"' in answer.text
    assert answer.text.count("<h1") == 1
    assert "a person" not in answer.text, "an error page does not know what waits"


def test_a_page_of_another_site_is_not_the_way_back(client: Client) -> None:
    assert "evil.example" not in client.get("/raise/conflict", headers={"referer": "http://evil.example/x"}).text


def test_htmx_gets_a_partial_for_the_region_of_replies(client: Client) -> None:
    answer = client.get("/raise/conflict", headers={"hx-request": "true"})
    assert answer.status_code == 409
    assert answer.text.startswith('<hx-partial hx-target="#replies" hx-swap="innerHTML">')
    assert 'data-error-code="TASK_INVALID_TRANSITION"' in answer.text
    assert "<html" not in answer.text


def test_a_program_gets_json_with_the_details(client: Client) -> None:
    answer = client.get("/raise/conflict", headers={"accept": "application/json"})
    assert answer.status_code == 409
    assert answer.json() == {
        "error": {
            "code": "TASK_INVALID_TRANSITION",
            "message": "Send it back first.",
            "details": {"allowed": ["reject"]},
        }
    }


def test_everything_below_api_is_json(client: Client) -> None:
    assert client.get("/api/v1/nothing").json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/raise/missing", 404, "TASK_NOT_FOUND"),
        ("/raise/forbidden", 403, "FORBIDDEN"),
        ("/raise/invalid-id", 400, "INVALID_ID"),
        ("/raise/away", 503, "UNAVAILABLE"),
        ("/raise/refused", 503, "UNAVAILABLE"),
        ("/raise/cut", 503, "UNAVAILABLE"),
        ("/raise/bug", 500, "INTERNAL"),
        ("/nowhere", 404, "NOT_FOUND"),
        ("/theme", 405, "METHOD_NOT_ALLOWED"),
        ("/static/x/nothing.css", 404, "FILE_NOT_FOUND"),
    ],
)
@pytest.mark.parametrize("shape", ["page", "partial", "json"])
def test_each_error_keeps_its_status_and_code_in_each_shape(
    client: Client, path: str, status: int, code: str, shape: str
) -> None:
    headers = {"page": {}, "partial": {"hx-request": "true"}, "json": {"accept": "application/json"}}[shape]
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    assert code in answer.text


def test_wrong_fields_are_all_named(client: Client, token: str) -> None:
    answer = client.post(
        "/form", data={"name": "", "count": "14", "_csrf_token": token}, headers={"accept": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"] == {"name": "Fill this in.", "count": "Choose 1 to 10."}


def test_a_wrong_method_says_which_are_right(client: Client) -> None:
    assert set(client.get("/theme").headers["allow"].split(", ")) == {"OPTIONS", "POST"}


def test_a_bug_is_told_by_an_id_that_the_log_has_too_and_by_nothing_else(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, errors.logger.name):
        answer = client.get("/raise/bug", headers={"accept": "application/json"})
    id = answer.json()["error"]["details"]["id"]
    assert any(id in record.getMessage() and record.exc_info for record in caplog.records)
    assert "hunter2" not in answer.text
    assert "hunter2" not in client.get("/raise/bug").text


def test_a_body_that_is_too_large_is_refused(client: Client, token: str) -> None:
    answer = client.post("/form", data={"name": "x" * 1_100_000, "_csrf_token": token})
    assert answer.status_code == 413
    assert 'data-error-code="TOO_LARGE"' in answer.text


def test_an_errors_text_is_text(client: Client) -> None:
    for headers in ({}, {"hx-request": "true"}):
        assert "<script>alert" not in client.get("/raise/hostile", headers=headers).text


def test_when_the_page_itself_fails_the_error_is_still_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "render", lambda *_, **__: 1 / 0)
    answer = client.get("/raise/missing")
    assert (answer.status_code, answer.text) == (404, "404 TASK_NOT_FOUND\n\nThere is no task here.\n")
