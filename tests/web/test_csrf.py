"""A form without this visit's token changes nothing, and says how to go on."""

from litestar import Litestar
from litestar.testing import TestClient

from app.web.csrf import csrf_config

Client = TestClient[Litestar]


def test_the_hidden_field_lets_a_plain_form_through(client: Client, token: str) -> None:
    answer = client.post("/form", data={"name": "Mara", "_csrf_token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/names/Mara")


def test_the_header_lets_a_script_through(client: Client, token: str) -> None:
    answer = client.post("/form", data={"name": "Mara"}, headers={"x-csrftoken": token, "hx-request": "true"})
    assert answer.status_code == 200


def test_without_a_token_the_page_says_what_to_do(client: Client) -> None:
    answer = client.post("/form", data={"name": "Mara"})
    assert answer.status_code == 403
    assert 'data-error-code="CSRF"' in answer.text
    assert "load the page again" in answer.text


def test_the_token_of_another_visit_is_refused(client: Client, application: Litestar, token: str) -> None:
    with TestClient(application, base_url="http://127.0.0.1") as other:
        other.get("/form")
        assert other.post("/form", data={"name": "Mara", "_csrf_token": token}).status_code == 403


def test_another_secret_has_another_cookie_so_that_an_old_one_is_not_refused_for_ever() -> None:
    assert csrf_config("a" * 40).cookie_name != csrf_config("b" * 40).cookie_name
    assert "a" * 10 not in csrf_config("a" * 40).cookie_name


def test_static_files_set_no_cookie(client: Client) -> None:
    from app.web.assets import assets

    assert "set-cookie" not in client.get(assets().url("app.css")).headers
