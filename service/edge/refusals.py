"""The answers that the edge gives by itself: problems (RFC 9457), like all errors of the API."""

from __future__ import annotations

import json
import math

from hmar.problems import ProblemType
from service.edge.messages import Answer, Refusal
from service.errors import MalformedRequestError
from service.problem_table import EDGE_PROBLEMS, INTERNAL, PROBLEMS
from service.problems import problem_body
from service.security_headers import SECURITY_HEADERS


def refusal(
    status: int, detail: str, remedy: str, retry_after_s: float | None = None, *, closes: bool = False
) -> Refusal:
    """Return a refusal with a problem as its body.

    Parameters
    ----------
    status : int
    detail, remedy : str
        What is wrong, and what to do about it; nothing of the request is repeated in them.
    retry_after_s : float or None
        When to try again.
    closes : bool
        Whether the connection ends with it.
    """
    problem = _problem(status)
    told = problem_body(problem, detail, remedy)
    body = json.dumps(told).encode()
    headers = {
        **SECURITY_HEADERS,
        "X-Request-ID": str(told["request_id"]),
        "Content-Type": "application/problem+json",
        "Cache-Control": "no-store",
    }
    headers["Content-Length"] = str(len(body))
    if retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
    pairs = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    return Refusal(Answer(status, pairs, body), closes=closes)


def malformed(detail: str) -> Refusal:
    """Return the refusal of a request that is not HTTP as this server speaks it."""
    return refusal(400, detail, "Send a request as HTTP/1.1 (RFC 9112) has it.", closes=True)


def too_slow(what: str) -> Refusal:
    """Return the refusal of a request of which ``what`` did not come in time."""
    detail = f"The {what} of the request did not come in time."
    return refusal(408, detail, "Send it faster, or in parts.", closes=True)


def overloaded(detail: str) -> Refusal:
    """Return the refusal of a request for which there is no room."""
    return refusal(503, detail, "Try again after the seconds that Retry-After names.", 1.0)


def too_many(detail: str, retry_after_s: float) -> Refusal:
    """Return the refusal of a request beyond a limit of its key or address."""
    return refusal(429, detail, "Try again after the seconds that Retry-After names.", retry_after_s)


def _problem(status: int) -> ProblemType:
    if status == INTERNAL.status:
        return INTERNAL
    if status in EDGE_PROBLEMS:
        return EDGE_PROBLEMS[status]
    return PROBLEMS[MalformedRequestError]._replace(status=status)
