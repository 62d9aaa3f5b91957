"""Problems (RFC 9457) as the errors that the library raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hmar.client.connection import Answer
from hmar.errors import (
    AuthError,
    ForbiddenError,
    HmarError,
    InputError,
    LimitError,
    NotFoundError,
    OperatorError,
    UnavailableError,
)
from hmar.problems import PROBLEMS
from hmar.values.references import printable

MEDIA_TYPE = "application/problem+json"
_OF_HTTP: dict[str, type[HmarError]] = {
    "malformed-request": InputError,
    "cursor-not-usable": InputError,
    "cross-site-request": AuthError,
    "no-such-route": InputError,
    "method-not-allowed": InputError,
    "not-acceptable": InputError,
    "request-too-slow": UnavailableError,
    "upload-too-large": LimitError,
    "unsupported-media-type": InputError,
    "range-not-satisfiable": InputError,
    "too-many-requests": UnavailableError,
    "internal-error": OperatorError,
    "overloaded": UnavailableError,
}
CLASSES: dict[str, type[HmarError]] = {problem.slug: error for error, problem in PROBLEMS.items()} | _OF_HTTP
"""The class of each problem, by the last part of its type."""
_BY_STATUS: dict[int, type[HmarError]] = {401: AuthError, 403: ForbiddenError, 404: NotFoundError}


def error_of(answer: Answer) -> HmarError:
    """Return the error that an answer without success stands for."""
    try:
        if not answer.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
            raise ValueError
        return error_of_problem(json.loads(answer.data))
    except (ValueError, KeyError, TypeError, AttributeError):
        return UnavailableError(
            f"The server answered {answer.status}, and not as HMAR search does.",
            "Check that the address is that of HMAR search, and what stands in between.",
        )


def error_of_problem(problem: Mapping[str, Any]) -> HmarError:
    """Return a problem as an error with its detail and remedy; of an unknown type, by its status."""
    slug, status = str(problem["type"]).rpartition("/")[2], int(problem["status"])
    fallback = _BY_STATUS.get(status, InputError if status < 500 else OperatorError)
    return CLASSES.get(slug, fallback)(printable(problem["detail"]), printable(problem["remedy"]))
