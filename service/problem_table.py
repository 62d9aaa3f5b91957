"""What each error becomes: the library's problem types (RFC 9457), and those that HTTP adds."""

from __future__ import annotations

from collections.abc import Iterator

from hmar.errors import HmarError
from hmar.problems import PROBLEMS as LIBRARY_PROBLEMS
from hmar.problems import ProblemType
from service.errors import (
    CrossSiteError,
    CursorError,
    MalformedRequestError,
    MediaTypeError,
    NotAcceptableError,
    RangeError,
)

PROBLEMS: dict[type[HmarError], ProblemType] = {
    **LIBRARY_PROBLEMS,
    MalformedRequestError: ProblemType(400, "malformed-request", "The request cannot be parsed"),
    CursorError: ProblemType(400, "cursor-not-usable", "The cursor does not go on with this search"),
    CrossSiteError: ProblemType(403, "cross-site-request", "The request does not come from the page"),
    NotAcceptableError: ProblemType(406, "not-acceptable", "The answer has no form that is accepted"),
    MediaTypeError: ProblemType(415, "unsupported-media-type", "The body's content type is not read here"),
    RangeError: ProblemType(416, "range-not-satisfiable", "The range of bytes lies outside the content"),
}
"""What each class of errors becomes; an error takes the entry of its nearest base."""

HTTP_PROBLEMS: dict[int, tuple[ProblemType, str]] = {
    400: (PROBLEMS[MalformedRequestError], "Check the body against /openapi.json."),
    404: (ProblemType(404, "no-such-route", "There is nothing at this address"), "See /openapi.json."),
    405: (
        ProblemType(405, "method-not-allowed", "The route has no such method"),
        "Use a method named in Allow.",
    ),
    413: (
        ProblemType(413, "upload-too-large", "The request is larger than the server accepts"),
        "Send less at a time, or raise HMAR_MAX_UPLOAD_BYTES, or HMAR_MAX_STOW_BYTES for STOW-RS.",
    ),
    415: (PROBLEMS[MediaTypeError], "Send application/json or multipart/form-data."),
}
"""What Flask refuses by itself, and the remedy."""

EDGE_PROBLEMS: dict[int, ProblemType] = {
    408: ProblemType(408, "request-too-slow", "The request did not come in time"),
    429: ProblemType(429, "too-many-requests", "A limit of the key or the address is reached"),
    503: ProblemType(503, "overloaded", "The server has no room for the request"),
}
"""What is refused around the application, before it sees the request (:mod:`service.edge`)."""

INTERNAL = ProblemType(500, "internal-error", "The server made a mistake")


def problem_of(error: HmarError) -> ProblemType:
    """Return the table's entry for an error, by its nearest base class."""
    for base in type(error).__mro__:
        if base in PROBLEMS:
            return PROBLEMS[base]
    return INTERNAL


def all_problems() -> Iterator[ProblemType]:
    """Go through every problem once, by status."""
    known = {*PROBLEMS.values(), *EDGE_PROBLEMS.values(), INTERNAL}
    known |= {problem for problem, _ in HTTP_PROBLEMS.values()}
    return iter(sorted(known))
