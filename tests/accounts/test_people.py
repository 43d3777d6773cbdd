"""A browser is known again by its cookie, and a person by the name they signed with."""

from litestar import Litestar, Response, get, post
from litestar.di import Provide
from litestar.testing import TestClient

from app.accounts.people import NAME_COOKIE, VISITOR_COOKIE, Person, name_cookie, person_of, remember_visitor
from app.ids import is_id


@get("/")
async def who(person: Person) -> dict[str, str]:
    return {"id": person.id, "name": person.name}


@post("/sign")
async def sign(data: dict[str, str]) -> Response[str]:
    response = Response("signed")
    response.set_cookie(name_cookie(data["name"]))
    return response


def browser() -> TestClient[Litestar]:
    return TestClient(
        Litestar([who, sign], dependencies={"person": Provide(person_of)}, before_send=[remember_visitor])
    )


def test_a_browser_gets_one_id_and_keeps_it() -> None:
    with browser() as mara, browser() as joan:
        first, again = mara.get("/").json(), mara.get("/").json()
        assert first["id"] == again["id"] != joan.get("/").json()["id"]
        assert is_id(mara.cookies[VISITOR_COOKIE])


def test_the_cookie_is_set_once_for_the_whole_site_and_not_for_scripts() -> None:
    with browser() as mara:
        cookie = mara.get("/").headers["set-cookie"]
        assert {"Path=/", "HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
        assert "set-cookie" not in mara.get("/").headers


def test_the_name_of_a_decision_is_remembered_in_any_script() -> None:
    with browser() as mara:
        mara.post("/sign", json={"name": "Mára Lindqvist; 100 %"})
        assert mara.cookies[NAME_COOKIE]
        assert mara.get("/").json()["name"] == "Mára Lindqvist; 100 %"
