"""The HTTP side: enough of the APIs of Anthropic and OpenAI for the real programs, on loopback, with a log."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.scripted_model import dialects, openai, replies
from tests.scripted_model.requests import Asked, UnknownScenario, understand
from tests.scripted_model.scenarios import Drop, HttpError

NOT_HERE = "Only /v1/messages, /v1/chat/completions and /v1/responses are here."
_PING = ": still here"
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


class ScriptedModel:
    """A server in a thread of its own, listening from `start()` to `stop()`."""

    def __init__(self, port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._server.daemon_threads = True
        self._server.log = self.log = []
        self.port: int = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def asked(self) -> list[Asked]:
        """Every request for a message so far."""
        return [entry["asked"] for entry in self.log if "asked" in entry]

    @property
    def env(self) -> dict[str, str]:
        """What an agent needs in its environment to talk to this model."""
        return {"ANTHROPIC_BASE_URL": self.url, "ANTHROPIC_API_KEY": "dummy-key-for-tests"}

    def start(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Stay silent: `ScriptedModel.log` is the log."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.log.append({"method": "GET", "path": self.path})
        if self.path.split("?")[0].endswith("/models"):
            self._json({"data": [{"id": "scripted", "type": "model", "display_name": "Scripted"}], "has_more": False})
        else:
            self._error(404, "not_found_error", NOT_HERE)

    def do_POST(self) -> None:
        body = json.loads(self._body() or b"{}")
        path = self.path.split("?")[0]
        entry: dict[str, Any] = {"method": "POST", "path": path, "key": self.headers.get("x-api-key")}
        self.server.log.append(entry)
        if path.endswith("/count_tokens"):
            self._json({"input_tokens": replies.INPUT_TOKENS})
        elif path.endswith("/messages"):
            self._answer(entry, body, self._anthropic)
        elif path.endswith("/chat/completions"):
            self._answer(entry, dialects.from_chat(body), self._chat)
        elif path.endswith("/responses"):
            self._answer(entry, dialects.from_responses(body), self._responses)
        else:
            self._error(404, "not_found_error", NOT_HERE)

    def _answer(self, entry: dict[str, Any], body: dict[str, Any], say: Callable[[Asked], None]) -> None:
        try:
            entry["asked"] = asked = understand(body)
        except UnknownScenario as unknown:
            self._error(400, _ERRORS[400], str(unknown))
            return
        match asked.steps[0]:
            case HttpError(status, message):
                self._error(status, _ERRORS[status], message or f"The script says {status}.")
            case Drop():
                self.close_connection = True
            case _:
                say(asked)

    def _anthropic(self, asked: Asked) -> None:
        if asked.stream:
            self._stream(asked, (_event(name, data) for name, data in replies.stream(asked)))
        else:
            self._json(replies.whole(asked))

    def _chat(self, asked: Asked) -> None:
        self._stream(asked, (f"data: {line}" if line else _PING for line in openai.chat(asked)))

    def _responses(self, asked: Asked) -> None:
        self._stream(asked, (_event(name, data) for name, data in openai.responses(asked)))

    def _stream(self, asked: Asked, events: Iterator[str]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for event in events:
                self.wfile.write(f"{event}\n\n".encode())
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            self.server.log.append({"gone": asked.scenario})

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            raw = b"".join(iter(self._chunk, b""))
        else:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        return gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw

    def _chunk(self) -> bytes:
        chunk = self.rfile.read(int(self.rfile.readline().split(b";")[0], 16))
        self.rfile.readline()
        return chunk

    def _error(self, status: int, kind: str, message: str) -> None:
        self._json({"type": "error", "error": {"type": kind, "message": message}}, status)

    def _json(self, document: dict[str, Any], status: int = 200) -> None:
        raw = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}" if name else _PING
