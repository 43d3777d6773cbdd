"""A page for a plain request, partials for htmx, 303 after a plain form."""

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from app.web.replies import Partial, frame

Client = TestClient[Litestar]


def test_after_a_plain_form_the_browser_is_sent_to_the_result(client: Client, token: str) -> None:
    answer = client.post("/form", data={"name": "Mara", "_csrf_token": token})
    assert (answer.status_code, answer.headers["location"], answer.text) == (303, "/names/Mara", "")


def test_htmx_gets_what_changed(client: Client, token: str) -> None:
    answer = client.post("/form", data={"name": "Mara"}, headers={"hx-request": "true", "x-csrftoken": token})
    assert answer.status_code == 200
    assert answer.text == '<hx-partial hx-target="#name" hx-swap="innerHTML"><b>Mara</b></hx-partial>'
    assert "HX-Request" in answer.headers["vary"]


def test_htmx_is_sent_to_the_result_where_no_place_changed(client: Client, token: str) -> None:
    answer = client.post(
        "/form", data={"name": "Mara", "count": "1"}, headers={"hx-request": "true", "x-csrftoken": token}
    )
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/names/Mara")


def test_several_places_go_in_one_frame() -> None:
    parts = [Partial("#a", "<p>1</p>"), Partial('[data-x="1"]', "", "delete")]
    assert frame(parts) == (
        '<hx-partial hx-target="#a" hx-swap="outerMorph"><p>1</p></hx-partial>\n'
        '<hx-partial hx-target="[data-x=&#34;1&#34;]" hx-swap="delete"></hx-partial>'
    )


def test_the_theme_is_kept_and_shown(client: Client, token: str) -> None:
    answer = client.post("/theme", data={"theme": "dark", "next": "/dev/patterns", "_csrf_token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dev/patterns")
    assert '<html lang="en" data-theme="dark">' in client.get("/dev/patterns").text


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example", "/\\evil.example", "evil"])
def test_the_theme_form_leads_nowhere_else(client: Client, token: str, next: str) -> None:
    answer = client.post("/theme", data={"theme": "dark", "next": next, "_csrf_token": token})
    assert answer.status_code == 422
