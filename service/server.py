"""The web server: the edge around the Flask application, which it asks before it takes in a large body.

A request reaches the application whole. Its key or login, and its size, are looked at when the headers are
there, so that nobody without a key fills the disk.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from service.app import SPOOL
from service.auth import OPEN_ENDPOINTS
from service.edge.asgi import Edge
from service.edge.bounds import Bounds
from service.edge.known import Known
from service.edge.listening import listen
from service.edge.server import Server
from service.errors import MalformedRequestError
from service.largest import largest_body


def make_server(
    app: Flask, host: str, port: int, bounds: Bounds, refused: Callable[[int], None] = lambda _status: None
) -> Server:
    """Return a server, listening already; ``run()`` serves until ``stop()``.

    Parameters
    ----------
    app, bounds, refused
        As for :func:`server_on`.
    host : str
        Address or name to listen on.
    port : int
        0 takes a free one.

    Raises
    ------
    OSError
        If the port cannot be opened.
    """
    return server_on(listen(host, port), app, bounds, refused)


def server_on(
    sockets: Sequence[socket.socket],
    app: Flask,
    bounds: Bounds,
    refused: Callable[[int], None],
    known: Known | None = None,
) -> Server:
    """Return a server on sockets that listen already; ``run()`` serves until ``stop()``.

    Parameters
    ----------
    sockets : sequence of socket
    app : Flask
        Its configuration says how large a body may be (:mod:`service.largest`).
    bounds : Bounds
    refused : callable
        Told the status of every request that is refused before it reaches the application.
    known : Known or None
        What its limits share with those of other processes; None for a process alone.
    """
    edge = Edge(
        app,
        lambda environ, too_large: _refused(app, environ, too_large),
        bounds,
        lambda method, path: largest_body(app.config, method, path),
        refused,
        known,
        app.extensions.get(SPOOL),
    )
    return Server(sockets, edge, bounds, shared=known is not None)


def _refused(app: Flask, environ: dict[str, Any], too_large: bool) -> Response | None:
    """Return the application's answer to a request that it refuses by its headers alone, or None."""
    with app.request_context(environ):
        try:
            refused = app.preprocess_request()
            if refused is not None:
                return app.process_response(app.make_response(refused))
            if request.routing_exception is not None:
                raise request.routing_exception
            if request.endpoint in OPEN_ENDPOINTS:
                raise MalformedRequestError("This route takes no large body.", "Send it without one.")
            if too_large:
                raise RequestEntityTooLarge
        except Exception as error:
            return app.process_response(app.make_response(app.handle_user_exception(error)))
    return None
