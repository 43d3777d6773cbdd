"""Static files: kept for ever under a name that changes with them."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from app.resources import resource_path
from app.web.assets import STYLESHEET, assets, read_assets

Client = TestClient[Litestar]


def test_a_file_is_kept_for_ever(client: Client) -> None:
    answer = client.get(assets().url("js/app.js"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_an_address_of_another_version_is_answered_but_not_kept(client: Client) -> None:
    assert client.get("/static/old/js/app.js").headers["cache-control"] == "no-cache"


def test_a_known_etag_is_answered_with_304_and_no_body(client: Client) -> None:
    url = assets().url(STYLESHEET)
    tag = client.get(url).headers["etag"]
    again = client.get(url, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"].endswith("immutable")


def test_files_are_packed_for_those_who_can_unpack(client: Client) -> None:
    url = assets().url(STYLESHEET)
    plain = client.get(url, headers={"accept-encoding": "identity"})
    packed = client.get(url, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert gzip.decompress(assets().files[STYLESHEET].packed) == plain.content


@pytest.mark.parametrize(
    "path", ["../pyproject.toml", "%2e%2e/pyproject.toml", "js/../../pyproject.toml", "/etc/passwd"]
)
def test_nothing_outside_the_folder_is_served(client: Client, path: str) -> None:
    answer = client.get(f"/static/{assets().version}/{path}")
    assert answer.status_code == 404
    assert "agentpane" not in answer.text


def test_the_style_sheets_are_one_with_the_layers_first_and_helpers_last() -> None:
    sheet = assets().files[STYLESHEET].body.decode()
    assert sheet.startswith("@layer reset, base, components, utilities;")
    assert sheet.index("--canvas:") < sheet.index(".card {") < sheet.index(".sr-only {")
    assert all(path.read_text() in sheet for path in (resource_path("static") / "css").glob("*.css"))


def test_a_changed_file_changes_the_address(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "tokens.css").write_text("@layer base;")
    before = read_assets(tmp_path).url(STYLESHEET)
    (tmp_path / "css" / "tokens.css").write_text("@layer base, components;")
    assert read_assets(tmp_path).url(STYLESHEET) != before


def test_a_template_cannot_name_a_file_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        assets().url("js/nothing.js")


def test_vendored_files_are_the_published_ones() -> None:
    vendor = resource_path("static") / "vendor"
    rows = re.findall(r"^\| `(\S+)` \|.*\| `([0-9a-f]{64})` \|", (vendor / "README.md").read_text(), re.MULTILINE)
    files = {path.relative_to(vendor).as_posix() for path in vendor.glob("*/*")}
    assert {name for name, _ in rows} == files
    assert all(hashlib.sha256((vendor / name).read_bytes()).hexdigest() == sum_ for name, sum_ in rows)


def test_every_module_imports_files_that_exist() -> None:
    folder = resource_path("static") / "js"
    for module in folder.glob("*.js"):
        for name in re.findall(r'(?:from|import) "\./([^"]+)"', module.read_text()):
            assert (folder / name).is_file(), f"{module.name} imports {name}"


def test_no_style_sheet_but_the_tokens_names_a_colour() -> None:
    derived = {"avatar.css"}
    for sheet in (resource_path("static") / "css").glob("*.css"):
        if sheet.name not in {"tokens.css", *derived}:
            rules = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
            assert not re.search(r"(oklch|rgb|hsl)\(|#[0-9a-f]{3,8}\b", rules), sheet.name
