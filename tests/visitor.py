"""A person at a browser without JavaScript, and at one with htmx: pages are read, their forms filled in and sent."""

from html.parser import HTMLParser

import httpx

from app.web.csrf import FIELD, HEADER


class Form:
    """A form as it stands on a page: where it is sent, and its fields with what is in them."""

    def __init__(self, action: str, method: str) -> None:
        self.action = action
        self.method = method
        self.fields: dict[str, str] = {}


class Visitor:
    """One browser, with its cookies."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """A page; redirects are not followed."""
        return await self.client.get(path, headers=headers)

    async def page(self, path: str) -> str:
        """The HTML of a page that must be there."""
        response = await self.get(path)
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        return response.text

    async def send(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Fill in the form of `page` that is sent to `action`, and send it as a browser without JavaScript does."""
        form = await self._form(page, action)
        assert FIELD in form.fields
        return await self.client.post(action, data=form.fields | fields, headers=self._from(page))

    async def send_htmx(self, page: str, action: str, **fields: str) -> httpx.Response:
        """The same by htmx: the token is in a header, and the answer is partials."""
        form = await self._form(page, action)
        headers = {"hx-request": "true", HEADER: form.fields.pop(FIELD), **self._from(page)}
        return await self.client.post(action, data=form.fields | fields, headers=headers)

    async def post(self, path: str, page: str = "/", referrer: str = "", **fields: str) -> httpx.Response:
        """Send what no form offers, with the token of `page`, as if coming from there or from `referrer`."""
        token = next(form.fields[FIELD] for form in forms_of(await self.page(page)) if FIELD in form.fields)
        return await self.client.post(path, data={FIELD: token, **fields}, headers=self._from(referrer or page))

    async def _form(self, page: str, action: str) -> Form:
        forms = [form for form in forms_of(await self.page(page)) if form.action == action]
        assert forms, f"{page} has no form for {action}"
        assert forms[0].method == "post"
        return forms[0]

    def _from(self, page: str) -> dict[str, str]:
        return {"referer": str(self.client.base_url.join(page))}


def forms_of(html: str) -> list[Form]:
    """The forms of a page, in their order."""
    reader = _Forms()
    reader.feed(html)
    return reader.forms


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._list: tuple[str, bool] | None = None
        self._text: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(known.get("action", ""), known.get("method", "get"))
            self.forms.append(self._open)
        if self._open is None:
            return
        match tag:
            case "input" if known.get("type") not in ("checkbox", "radio") or "checked" in known:
                self._put(known.get("name"), known.get("value", "on"))
            case "textarea":
                self._text = known["name"]
                self._put(self._text, "")
            case "select":
                self._list = (known["name"], False)
            case "option" if self._list:
                name, is_chosen = self._list
                if "selected" in known or (not is_chosen and name not in self._open.fields):
                    self._put(name, known.get("value", ""))
                    self._list = (name, "selected" in known)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._text = None
        elif tag == "select":
            self._list = None

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._text is not None:
            self._open.fields[self._text] += data.removeprefix("\n") if not self._open.fields[self._text] else data

    def _put(self, name: str | None, value: str) -> None:
        if name and self._open is not None:
            self._open.fields[name] = value
