"""The web server: waitress, which asks the application before it takes in a large body.

waitress receives a request whole before the application sees it: a body above 512 KiB goes to a temporary
file. Here the key or login, and the size, are looked at when the headers are there, so that nobody without a
key fills the disk. Bodies up to 512 KiB are held in memory unasked, for 100 connections at most.

waitress has no hook between headers and body, so its parser is extended here; gunicorn, which hands a body
over as it comes, is not used because it forks its workers (docs/adr/0005-waitress-and-celery.md).
"""

from __future__ import annotations

import functools
import io
from typing import Any

from flask import Flask, Response, request
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver
from waitress.server import BaseWSGIServer, create_server
from waitress.utilities import RequestEntityTooLarge as WaitressTooLarge
from werkzeug.exceptions import RequestEntityTooLarge

from service.auth import OPEN_ENDPOINTS
from service.problems import MalformedRequestError

UNASKED_BYTES = 512 << 10
"""Bodies up to this size are taken in before anyone is asked."""

DRAINED_BYTES = 256 << 20
"""How much of a refused body is read and discarded: a client that is still sending reads no answer."""


def make_server(app: Flask, host: str, port: int, threads: int) -> Any:
    """Return a waitress server, listening already; ``run()`` serves until SystemExit.

    Parameters
    ----------
    app : Flask
        Its ``MAX_CONTENT_LENGTH`` is the largest body.
    host : str
        Address or name to listen on.
    port : int
        0 takes a free one.
    threads : int
        Requests served at a time.
    """
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        map=sockets,
        host=host,
        port=port,
        threads=threads,
        # waitress refuses what is as large as this.
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + 1,
        inbuf_overflow=UNASKED_BYTES,
        # poll() and not select(), which knows no descriptors above 1023.
        asyncore_use_poll=True,
        ident=None,
    )
    for listening in sockets.values():
        if isinstance(listening, BaseWSGIServer):
            listening.channel_class = functools.partial(_Channel, app)
    return server


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection whose requests are looked at by :class:`_Parser`."""

    def __init__(self, app: Flask, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.parser_class = functools.partial(_Parser, app)


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Takes in a request; one whose body will not be used becomes an error with the application's answer."""

    body_rcv: Any
    completed: bool
    error: Any
    expect_continue: bool

    def __init__(self, app: Flask, adjustments: Any) -> None:
        super().__init__(adjustments)
        self._app = app
        self._drained: int | None = None

    def received(self, data: bytes) -> int:
        if self._drained is not None and not self.completed:
            return self._drain(data)
        in_header = not self.headers_finished
        consumed: int = super().received(data)
        if in_header and self.headers_finished and self.body_rcv is not None:
            self._look()
        elif isinstance(self.error, WaitressTooLarge):
            # A chunked body, which says its size only by coming.
            self.error = _Refusal(_refused(self._app, self._environ(), too_large=True))
        return consumed

    def _look(self) -> None:
        """Refuse the request if its body will not be used; else let it come."""
        too_large = self.content_length > self._app.config["MAX_CONTENT_LENGTH"]
        if not self.chunked and self.content_length <= UNASKED_BYTES and not too_large:
            return
        response = _refused(self._app, self._environ(), too_large)
        if response is None:
            return
        self.error = _Refusal(response)
        # A client that expects to be told whether to send the body has not sent it.
        self.completed = self.expect_continue
        self.expect_continue = False
        nowhere = _Nowhere()
        self.body_rcv = (
            ChunkedReceiver(nowhere) if self.chunked else FixedStreamReceiver(self.content_length, nowhere)
        )
        self._drained = 0

    def _drain(self, data: bytes) -> int:
        consumed: int = self.body_rcv.received(data)
        self._drained = (self._drained or 0) + consumed
        self.completed = bool(self.body_rcv.completed or self.body_rcv.error or self._drained > DRAINED_BYTES)
        return consumed

    def _environ(self) -> dict[str, Any]:
        """Return what WSGI (PEP 3333) says of the request, without its body."""
        return {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "hmar",
            "SERVER_PORT": "0",
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "wsgi.url_scheme": self.url_scheme,
            "wsgi.input": io.BytesIO(),
            **{f"HTTP_{name}": value for name, value in self.headers.items()},
        }


class _Nowhere:
    """A buffer for waitress that discards everything."""

    def append(self, _data: bytes) -> None:
        pass

    def __len__(self) -> int:
        return 0

    def close(self) -> None:
        pass


class _Refusal:
    """An error for waitress that carries the application's answer."""

    def __init__(self, response: Response | None) -> None:
        self._response = response or Response(status=413)

    def to_response(self, _ident: str | None) -> tuple[str, list[tuple[str, str]], bytes]:
        headers = [(name, value) for name, value in self._response.headers if name != "Content-Length"]
        return self._response.status, headers, self._response.get_data()


def _refused(app: Flask, environ: dict[str, Any], too_large: bool) -> Response | None:
    """Return the application's answer to a request that it refuses by its headers alone, or None."""
    with app.request_context(environ):
        try:
            app.preprocess_request()
            if request.endpoint in OPEN_ENDPOINTS:
                raise MalformedRequestError("This route takes no large body.", "Send it without one.")
            if too_large:
                raise RequestEntityTooLarge
        except Exception as error:
            return app.process_response(app.make_response(app.handle_user_exception(error)))
    return None
