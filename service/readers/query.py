"""The query of an address: each route names the fields that it takes, and all others are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request

from service.problems import MalformedRequestError
from service.readers.known import check_fields

View = TypeVar("View", bound=Callable[..., Any])

_FIELDS = "query_fields"


def takes_query(*names: str) -> Callable[[View], View]:
    """Name the fields of the query that a view takes; without this decorator it takes none."""

    def named(view: View) -> View:
        setattr(view, _FIELDS, frozenset(names))
        return view

    return named


def install(app: Flask) -> None:
    """Check the query of every request that has a route, and that no body comes where none is read."""
    app.before_request(_check)


def _check() -> None:
    if request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    known: frozenset[str] = getattr(view, _FIELDS, frozenset())
    check_fields([name for name, _ in request.args.items(multi=True)], known, "field of the query")
    if request.method in ("GET", "HEAD", "OPTIONS", "DELETE"):
        check_no_body()


def check_no_body() -> None:
    """Raise MalformedRequestError if the request has a body."""
    if request.content_length or request.headers.get("Transfer-Encoding"):
        raise MalformedRequestError(
            "The request has a body, and this route reads none.", "Send it without one."
        )
