"""A small HTTP/1.1 client: for load, a few connections that each ask again as soon as they are answered; or just one.

It does as little as it can, so that what is measured is the server.
"""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import cast
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from bench.harness import percentile


class Burst(Struct, frozen=True):
    """One round of load. `seconds` are the times of each answer; `busy` the share of a core this client used."""

    latencies: list[float]
    elapsed: float
    busy: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.elapsed

    def ms(self, share: float) -> float:
        """A percentile of the latencies, in milliseconds."""
        return percentile(self.latencies, share) * 1000


async def burst(url: str, path: str, headers: Mapping[str, str], connections: int = 16, seconds: float = 2.0) -> Burst:
    """GET `path` over `connections` kept connections for `seconds`. Any answer but 200 is an error."""
    parts = urlsplit(url)
    request = _request("GET", path, {"host": parts.netloc, **headers})
    loop = asyncio.get_running_loop()
    begun, used = time.perf_counter(), time.process_time()
    clients = [_Client(request, begun + seconds) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(partial(_itself, client), parts.hostname or "", parts.port or 80)
    async with asyncio.timeout(seconds + 20):
        await asyncio.gather(*(client.done for client in clients))
    elapsed = time.perf_counter() - begun
    return Burst([each for client in clients for each in client.latencies], elapsed,
                 (time.process_time() - used) / elapsed)  # fmt: skip


class Connection:
    """One kept connection, one request at a time."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._address = urlsplit(url)
        self._headers = {"host": self._address.netloc, **headers}

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection(
            self._address.hostname, self._address.port, limit=2**24
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def post(self, path: str, form: Mapping[str, object], headers: Mapping[str, str]) -> int:
        """Send a form and read the whole answer; its status."""
        body = urlencode(form).encode()
        about = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
        self._writer.write(_request("POST", path, {**self._headers, **about, **headers}) + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        await self._reader.readexactly(_length(head))
        return int(head.split(b" ", 2)[1])


def _request(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _itself(client: "_Client") -> "_Client":
    return client


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes, until: float) -> None:
        self._request = request
        self._until = until
        self._missing = 0
        self._head = b""
        self._sent = 0.0
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._head = b""
            if b" 200 " not in head.partition(b"\r\n")[0]:
                return self.done.set_exception(ConnectionError(head.decode(errors="replace")))
            self._missing = _length(head) - len(body)
        if self._missing == 0:
            self._answered()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))

    def _answered(self) -> None:
        now = time.perf_counter()
        self.latencies.append(now - self._sent)
        if now < self._until:
            self._ask()
        else:
            self.done.set_result(None)
            self._transport.close()

    def _ask(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
