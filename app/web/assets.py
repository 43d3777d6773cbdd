"""Static files from memory, under a URL that changes when one of them does: a browser may keep them for ever.

The style sheets are many small files, sent as one in layer order; there is no build step.
"""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec import Struct

from app.errors import NotFound
from app.resources import resource_path

#: The style sheets whose place matters: layers and tokens first, single-purpose helpers last, components between.
FIRST = ("tokens.css", "reset.css", "base.css", "layout.css")
LAST = ("utilities.css",)
STYLESHEET = "app.css"

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".md": "text/plain"}
_KEPT = "public, max-age=31536000, immutable"


class Asset(Struct, frozen=True):
    """One file as it is sent: plain, and packed where that is smaller."""

    body: bytes
    packed: bytes
    media_type: str


class Assets(Struct, frozen=True):
    """Everything below `static/` by path, and the hash that names this very set."""

    files: dict[str, Asset]
    version: str

    def url(self, path: str) -> str:
        """The address of `path`; raises KeyError for a file that is not there, so a template cannot name one."""
        self.files[path]
        return f"/static/{self.version}/{path}"


@cache
def assets() -> Assets:
    """The static files of this installation, read once."""
    return read_assets(resource_path("static"))


def read_assets(folder: Path) -> Assets:
    """All files of `folder`, with `css/*.css` joined into one sheet besides."""
    bodies = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    bodies[STYLESHEET] = _joined(sorted((folder / "css").glob("*.css")))
    digest = hashlib.sha256()
    for path, body in sorted(bodies.items()):
        digest.update(f"{path}\0{len(body)}\0".encode() + body)
    return Assets({path: _asset(path, body) for path, body in bodies.items()}, digest.hexdigest()[:12])


@get(
    "/static/{version:str}/{path:path}", opt={"exclude_from_csrf": True}, include_in_schema=False, sync_to_thread=False
)
def static_file(request: Request[Any, Any, Any], version: FromPath[str], path: FromPath[str]) -> Response[bytes]:
    """One static file. An address of another version answers with the file as it is now, to be asked for again."""
    found = assets()
    asset = found.files.get(path.lstrip("/"))
    if asset is None:
        raise NotFound(f"There is no static file {path}.", "FILE_NOT_FOUND")
    headers = {
        "cache-control": _KEPT if version == found.version else "no-cache",
        "etag": f'"{found.version}"',
        "vary": "Accept-Encoding",
    }
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers={**headers, "content-encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


def _joined(sheets: list[Path]) -> bytes:
    by_name = {sheet.name: sheet for sheet in sheets}
    between = [name for name in by_name if name not in (*FIRST, *LAST)]
    return b"\n".join(by_name[name].read_bytes() for name in (*FIRST, *between, *LAST) if name in by_name)


def _asset(path: str, body: bytes) -> Asset:
    packed = gzip.compress(body, 9, mtime=0)
    media_type = _TYPES.get(Path(path).suffix) or "application/octet-stream"
    return Asset(body, packed if len(packed) < len(body) else b"", media_type)
