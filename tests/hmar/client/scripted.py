"""A server that answers as a test says, one answer after the other, and keeps what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self


class Asked(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Told(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


CLOSES = Told(0, {}, b"")
"""In place of an answer: the connection ends."""


def answer(status: int, body: str = "{}", **headers: str) -> Told:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Told(status, {"Content-Type": "application/json", **named}, body.encode())


def problem(status: int, slug: str, **headers: str) -> Told:
    body = {
        "type": f"/problems/{slug}",
        "title": "",
        "status": status,
        "detail": "The detail.",
        "remedy": "Act.",
    }
    return answer(status, json.dumps(body), Content_Type="application/problem+json", **headers)


class Scripted:
    """Answers on a free port of this machine."""

    def __init__(self, script: Sequence[Told], context: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        script = list(script)
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # a body would wait for the delayed acknowledgement of its head

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked.append(Asked(self.command, self.path, self.headers, body))
                told = script.pop(0)
                if told is CLOSES:
                    self.close_connection = True
                    return
                self.send_response(told.status)
                for name, value in {**told.headers, "Content-Length": str(len(told.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(told.body)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_one  # noqa: N815 - as http.server names them

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        # Threads of their own: a client keeps its connection while the server ends.
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads, self._server.block_on_close = True, False
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
