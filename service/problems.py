"""Errors as answers: problem details (RFC 9457) of what is raised, and nothing told that is the log's."""

from __future__ import annotations

import logging
import re
import traceback
import uuid

from flask import Flask, Response, current_app, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from hmar import request_ids
from hmar.disk import FULL, write_error
from hmar.errors import AuthError, HmarError, IdentityProviderError, InputError, OperatorError, PacsError
from hmar.problems import ProblemType
from service.auth import want_after_login
from service.errors import MalformedRequestError, RangeError
from service.largest import largest_body
from service.models.problem import Problem
from service.onwards import asked_place, onwards
from service.problem_table import HTTP_PROBLEMS, INTERNAL, PROBLEMS, problem_of
from service.troubles import TroubleIds

_log = logging.getLogger("hmar.service.problems")
_troubles = TroubleIds()


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""Methods of HTTP. Any other word may be a mistyped secret: it is not handed on, and logs do not name it."""


_PARTS: dict[type[OperatorError], str] = {
    IdentityProviderError: "The identity provider",
    PacsError: "The PACS that has the pixels",
}
"""What does not answer, as far as whoever asks is told."""

PAGES = re.compile(r"/|/docs|/operations/[^/]+")
"""Where a browser without a login gets a page that says how to get one, and no problem."""


def logged_method() -> str:
    """Return the request's method as a log may name it: another word might be a secret in the wrong place."""
    return request.method if request.method in METHODS else "-"


def problem_body(problem: ProblemType, detail: str, remedy: str) -> dict[str, object]:
    """Return the members of problem details (RFC 9457), and the remedy."""
    return _problem(problem, detail, remedy).to_json()


def problem_given(error: InputError) -> Problem:
    """Return what is wrong with a part of a request, as a part of its answer."""
    return _problem(problem_of(error), error.detail, error.remedy)


def _problem(problem: ProblemType, detail: str, remedy: str) -> Problem:
    return Problem(
        type=problem.uri,
        title=problem.title,
        status=problem.status,
        detail=detail,
        remedy=remedy,
        request_id=request_ids.current() or request_ids.chosen(""),
    )


def unexpected_detail(error_id: str) -> tuple[str, str]:
    """Return detail and remedy of a mistake of the server, which the log describes under an id."""
    return (
        f"An unexpected error happened (error {error_id}).",
        "Report the id to the operator, who finds it in the log.",
    )


def problem_response(problem: ProblemType, detail: str, remedy: str) -> Response:
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
    problem = problem_of(error)
    response = problem_response(problem, error.detail, error.remedy)
    if problem is PROBLEMS[AuthError]:
        if PAGES.fullmatch(request.path):
            response = Response(_stranger(), status=401)
        response.headers["WWW-Authenticate"] = 'Bearer realm="hmar"'
    if isinstance(error, RangeError):
        response.headers["Content-Range"] = f"bytes */{error.size}"
    return response


def _stranger() -> str:
    """Return what a browser without a login is shown; what it wanted is kept for after the login."""
    site, wanted = request.headers.get("Sec-Fetch-Site"), asked_place()
    if wanted is not None and site == "cross-site":
        return onwards(wanted)  # there may be a login that was not sent along
    if wanted and site is not None:
        want_after_login(wanted)
    return render_template("unauthorised.html")


def _unavailable(error: OperatorError) -> Response:
    """Say that something failed, not what: the detail may name hosts and folders, and is for the log."""
    error_id = _troubles.of(str(error))
    _log.error("%s: %s: %s", error_id, type(error).__name__, error)
    part = next((name for kind, name in _PARTS.items() if isinstance(error, kind)), "A part of the server")
    response = problem_response(
        problem_of(error),
        f"{part} does not answer (error {error_id}).",
        "Try again; if it stays, the operator finds this id in the log and can run 'hmar doctor'.",
    )
    response.headers["Retry-After"] = "5"
    return response


def _refused(error: HTTPException) -> Response:
    status = error.code or 500
    if status not in HTTP_PROBLEMS:
        if status >= 500:
            return _unexpected(error)
        problem = PROBLEMS[MalformedRequestError]._replace(status=status, title=error.name)
        remedy = "See /openapi.json."
    else:
        problem, remedy = HTTP_PROBLEMS[status]
    response = problem_response(problem, _explain(error), remedy)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _explain(error: HTTPException) -> str:
    if isinstance(error, RequestEntityTooLarge):
        return (
            f"The body may hold {largest_body(current_app.config, request.method, request.path)} bytes in "
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
