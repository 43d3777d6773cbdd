"""The page a request came from: an answer may lead back there, and never to another site."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request


def came_from(request: Request[Any, Any, Any]) -> str:
    """Path and query of the page the reader came from, when it is one of ours; else empty."""
    page = urlsplit(request.headers.get("referer", ""))
    if page.netloc != request.headers.get("host", "") or not page.path.startswith("/") or page.path.startswith("//"):
        return ""
    return page.path + (f"?{page.query}" if page.query else "")
