"""Every request for patients' data goes to the audit log, with its answer and whose data it was given."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request

from hmar.values.access import Access
from hmar.values.audit import Accessed
from service.operations.operation import Operation, operation_of
from service.recorder import Recorder
from service.strangers import Strangers

LOGINS = frozenset({"logIn", "logOut"})
"""Operations that give no patient's data, but tell who may ask."""
UNRECORDED = frozenset({None, "any", "metrics"})
"""Scopes of operations that give no patient's data; figures are read every few seconds."""


def install(app: Flask, recorder: Recorder) -> None:
    """Record every request for an operation that needs a scope, and every login, be it granted or not.

    Requests that nobody's key or login came with, or was asked about, were given nothing, and are recorded up
    to a rate.
    """
    strangers = Strangers()

    def asked() -> Operation | None:
        if request.endpoint is None or request.method == "OPTIONS":
            return None
        declared = operation_of(app.view_functions[request.endpoint])
        told = declared.scope not in UNRECORDED or declared.operation_id in LOGINS
        return declared if told else None

    def check() -> None:
        if asked() is not None:
            recorder.check_room()

    def record(response: Response) -> Response:
        declared = asked()
        if declared is not None and (_actor() or strangers.recorded()):
            recorder.record(_accessed(declared, response.status_code))
        return response

    app.before_request(check)
    app.after_request(record)


def _actor() -> str:
    """Return who asked, also with a token that allows nothing here; empty where nobody valid did."""
    return g.access.identity.name if "access" in g else str(g.get("holder", ""))


def _accessed(declared: Operation, status: int) -> Accessed:
    access: Access | None = g.get("access")
    return Accessed(
        at=time.time(),
        operation=declared.operation_id,
        route="" if request.url_rule is None else request.url_rule.rule,
        scope=declared.scope or "",
        actor=_actor(),
        status=status,
        address=request.remote_addr or "",
        touched=frozenset() if access is None else frozenset(access.touched),
    )
