"""A receiver on this machine that verifies what comes, and answers as a test says."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Behaviour = Callable[[BaseHTTPRequestHandler], None]


def accepts(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(204)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def fails(handler: BaseHTTPRequestHandler) -> None:
    handler.send_error(500)


def redirects(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(307)
    handler.send_header("Location", f"http://127.0.0.1:{handler.server.server_port}/elsewhere")  # type: ignore[attr-defined]
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\xff not http at all\r\n\r\n")


def closes(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def trickles(handler: BaseHTTPRequestHandler) -> None:
    """Send a header that never ends, a byte at a time."""
    stop = threading.Event()
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not stop.wait(0.05):
            handler.wfile.write(b"x")
            handler.wfile.flush()
    except OSError:
        return


class Receiver:
    """Keeps the changes that came with a valid signature."""

    def __init__(self, *script: Behaviour) -> None:
        self.secret = ""
        self.seqs: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.forged = 0
        behaviours = list(script)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # a body would wait for the delayed acknowledgement of its head

            def do_POST(self) -> None:
                self.close_connection = True
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.paths.append(self.path)
                receiver.headers.append(dict(self.headers))
                behave = behaviours.pop(0) if behaviours else accepts
                if not receiver.valid(dict(self.headers), body):
                    receiver.forged += 1
                elif behave is accepts:
                    told = json.loads(body)
                    receiver.bodies.append(told)
                    receiver.seqs += [change["seq"] for change in told["changes"]]
                behave(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads, self._server.block_on_close = True, False
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?token=t"

    def valid(self, headers: dict[str, str], body: bytes) -> bool:
        signed = f"{headers['X-HMAR-Timestamp']}.".encode() + body
        expected = "v1=" + hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, headers["X-HMAR-Signature"])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
