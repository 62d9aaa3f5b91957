"""What every request is checked for before its body is read: its query, and a body that nobody reads."""

from __future__ import annotations

from flask import Flask, current_app, g, request

from service.errors import MalformedRequestError
from service.operations.operation import operation_of
from service.operations.reading import read_query

_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


def install(app: Flask) -> None:
    """Check the query of every request that has a route, and that no body comes where none is read."""
    app.before_request(_check)


def _check() -> None:
    if request.endpoint is None:
        return
    declared = operation_of(current_app.view_functions[request.endpoint])
    g.query = read_query(declared.query, request)
    sent = request.content_length or request.headers.get("Transfer-Encoding")
    if sent and (request.method in _WITHOUT_BODY or not declared.bodies):
        raise MalformedRequestError(
            "The request has a body, and this route reads none.", "Send it without one."
        )
