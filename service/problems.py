"""Errors as problem details (RFC 9457): one table from class of error to status, slug and title."""

from __future__ import annotations

import logging
import traceback
import uuid
from typing import NamedTuple

from flask import Flask, Response, current_app, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from hmar.disk import FULL, write_error
from hmar.errors import (
    AuthError,
    DecodeError,
    HmarError,
    InputError,
    LimitError,
    NotFoundError,
    OperatorError,
    ParameterError,
    RegionError,
)
from service.troubles import TroubleIds

_log = logging.getLogger("hmar.service.problems")
_troubles = TroubleIds()


class MalformedRequestError(InputError):
    """A request that cannot be parsed: broken JSON, a missing part."""


class MediaTypeError(InputError):
    """A body of a content type that the route does not read."""


class CrossSiteError(AuthError):
    """A change asked for with the page's cookie, but not from the page."""


class Problem(NamedTuple):
    """Status, last part of the type URI, and title of a class of errors."""

    status: int
    slug: str
    title: str


PROBLEMS: dict[type[HmarError], Problem] = {
    MalformedRequestError: Problem(400, "malformed-request", "The request cannot be parsed"),
    AuthError: Problem(401, "not-authorised", "A valid key or login is needed"),
    CrossSiteError: Problem(403, "cross-site-request", "The request does not come from the page"),
    NotFoundError: Problem(404, "not-found", "The archive does not hold this"),
    LimitError: Problem(413, "image-too-large", "The image is larger than the limits allow"),
    MediaTypeError: Problem(415, "unsupported-media-type", "The body's content type is not read here"),
    DecodeError: Problem(422, "image-not-readable", "The file cannot be read as an image"),
    RegionError: Problem(422, "region-outside-image", "The region cannot be used with this image"),
    ParameterError: Problem(422, "parameter-out-of-range", "A parameter cannot be used"),
    InputError: Problem(422, "input-not-usable", "The request cannot be used"),
    OperatorError: Problem(503, "service-unavailable", "A part of the server is not available"),
}
"""What each class of errors becomes; an error takes the entry of its nearest base."""

HTTP_PROBLEMS: dict[int, tuple[Problem, str]] = {
    400: (PROBLEMS[MalformedRequestError], "Check the body against /api/v1/openapi.yaml."),
    404: (Problem(404, "no-such-route", "There is nothing at this address"), "See /api/v1/openapi.yaml."),
    405: (Problem(405, "method-not-allowed", "The route has no such method"), "Use a method named in Allow."),
    413: (
        Problem(413, "upload-too-large", "The request is larger than the server accepts"),
        "Send less at a time, or raise HMAR_MAX_UPLOAD_BYTES.",
    ),
    415: (PROBLEMS[MediaTypeError], "Send application/json or multipart/form-data."),
}
"""What Flask refuses by itself, and the remedy."""

EDGE_PROBLEMS: dict[int, Problem] = {
    408: Problem(408, "request-too-slow", "The request did not come in time"),
    429: Problem(429, "too-many-requests", "A limit of the key or the address is reached"),
    503: Problem(503, "overloaded", "The server has no room for the request"),
}
"""What is refused around the application, before it sees the request (:mod:`service.edge`)."""

INTERNAL = Problem(500, "internal-error", "The server made a mistake")


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""Methods of HTTP. Any other word may be a mistyped secret: it is not handed on, and logs do not name it."""


def logged_method() -> str:
    """Return the request's method as a log may name it: another word might be a secret in the wrong place."""
    return request.method if request.method in METHODS else "-"


def problem_of(error: HmarError) -> Problem:
    """Return the table's entry for an error, by its nearest base class."""
    for base in type(error).__mro__:
        if base in PROBLEMS:
            return PROBLEMS[base]
    return INTERNAL


def problem_body(problem: Problem, detail: str, remedy: str) -> dict[str, object]:
    """Return the members of problem details (RFC 9457), and the remedy."""
    return {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "remedy": remedy,
    }


def unexpected_detail(error_id: str) -> tuple[str, str]:
    """Return detail and remedy of a mistake of the server, which the log describes under an id."""
    return (
        f"An unexpected error happened (error {error_id}).",
        "Report the id to the operator, who finds it in the log.",
    )


def problem_response(problem: Problem, detail: str, remedy: str) -> Response:
    """Build the application/problem+json response."""
    response = jsonify(problem_body(problem, detail, remedy))
    response.status_code = problem.status
    response.mimetype = "application/problem+json"
    response.cache_control.no_store = True
    return response


def install(app: Flask) -> None:
    """Answer every error of ``app`` with a problem."""
    app.register_error_handler(HmarError, _raised)
    app.register_error_handler(OSError, _not_written)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _unexpected)


def _not_written(error: OSError) -> Response:
    """Answer for a full disk as such: large bodies are kept in temporary files while they come in."""
    return _raised(write_error("A temporary file", error)) if error.errno in FULL else _unexpected(error)


def _raised(error: HmarError) -> Response:
    if isinstance(error, OperatorError):
        return _unavailable(error)
    response = problem_response(problem_of(error), error.detail, error.remedy)
    if isinstance(error, AuthError) and not isinstance(error, CrossSiteError):
        if request.path == "/":
            response = Response(render_template("unauthorised.html"), status=401)
        response.headers["WWW-Authenticate"] = 'Bearer realm="hmar"'
    return response


def _unavailable(error: OperatorError) -> Response:
    """Say that something failed, not what: the detail may name hosts and folders, and is for the log."""
    error_id = _troubles.of(str(error))
    _log.error("%s: %s: %s", error_id, type(error).__name__, error)
    response = problem_response(
        problem_of(error),
        f"A part of the server does not answer (error {error_id}).",
        "Try again; if it stays, the operator finds this id in the log and can run 'hmar doctor'.",
    )
    response.headers["Retry-After"] = "5"
    return response


def _refused(error: HTTPException) -> Response:
    status = error.code or 500
    if status not in HTTP_PROBLEMS:
        if status >= 500:
            return _unexpected(error)
        problem, remedy = Problem(status, "malformed-request", error.name), "See /api/v1/openapi.yaml."
    else:
        problem, remedy = HTTP_PROBLEMS[status]
    response = problem_response(problem, _explain(error), remedy)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _explain(error: HTTPException) -> str:
    if isinstance(error, RequestEntityTooLarge):
        return (
            f"The body may hold {current_app.config['MAX_CONTENT_LENGTH']} bytes in "
            f"{current_app.config['MAX_FORM_PARTS']} parts; this one holds more."
        )
    if error.code == 404:
        return "No route has this address."
    if isinstance(error, MethodNotAllowed):
        return f"{request.method} is not a method of this route."
    return error.name + "."


def _unexpected(error: Exception) -> Response:
    """Log where it happened but not the message, which may quote the data; answer with the log's id."""
    error_id = uuid.uuid4().hex
    rule = request.url_rule.rule if request.url_rule else "-"
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s: %s %s: %s\n%s", error_id, logged_method(), rule, type(error).__name__, where)
    return problem_response(INTERNAL, *unexpected_detail(error_id))
