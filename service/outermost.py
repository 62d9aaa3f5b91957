"""Around the application: whatever happens inside, the request gets an answer.

Flask answers every Exception (:mod:`service.problems`). What is none, such as a panic of native code, passes
Flask and would leave the client waiting on an open connection.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from service.problem_table import INTERNAL
from service.problems import problem_body, unexpected_detail

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

_log = logging.getLogger("hmar.service.problems")


def outermost(application: WSGIApplication) -> WSGIApplication:
    """Return the application with an answer to everything that it does not answer: a problem, status 500."""

    def answered(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            return application(environ, start_response)
        except BaseException as error:
            # No way to end the process from here: signals reach the main thread, and this is none of its.
            error_id = uuid.uuid4().hex
            _log.error("%s: %s passed the application", error_id, type(error).__name__)
            problem = problem_body(INTERNAL, *unexpected_detail(error_id))
            body = json.dumps(problem).encode()
            headers = [
                ("X-Request-ID", str(problem["request_id"])),
                ("Content-Type", "application/problem+json"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
            ]
            start_response(f"{INTERNAL.status} Internal Server Error", headers)
            return [body]

    return answered
