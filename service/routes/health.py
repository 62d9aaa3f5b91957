"""GET /healthz and /readyz: for load balancers and people; no key, and nothing told but which part fails."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Blueprint, Response

from hmar.errors import OperatorError, UnavailableError
from hmar.wiring import Engine
from service.models.health import Alive, Ready, State
from service.operations.operation import operation
from service.problem_table import PROBLEMS
from service.problems import problem_response

_log = logging.getLogger("hmar.service.health")

LAG_ROWS = 500
"""The index is caught up when fewer log rows than this wait; a search applies the rest itself."""


_NEEDED = {"worker": "broker", "model": "database", "index": "database"}
"""Parts that are asked through another one: while that fails, nothing can be said of them."""


def blueprint(engine: Engine) -> Blueprint:
    """Return the health routes."""
    routes = Blueprint("health", __name__)
    checks: dict[str, Callable[[], object]] = {
        "disk": lambda: engine.disk.check(),
        "database": lambda: engine.catalogue.last_seq(),
        "broker": lambda: engine.queue.backlog(),
        "worker": lambda: _worker_answers(engine),
        "model": lambda: _model(engine),
        "index": lambda: _caught_up(engine),
    }

    @routes.get("/healthz")
    @operation("readHealth", "Whether the process lives", tag="health", gives="It does.")
    def healthz() -> Alive:
        return Alive(status="alive")

    @routes.get("/readyz")
    @operation(
        "readReadiness",
        "Whether disk, database, broker, a worker, model and index work",
        tag="health",
        gives="All of them do.",
    )
    def readyz() -> Ready | Response:
        failing: list[str] = []
        states: dict[str, State] = {}
        for name, check in checks.items():
            if _NEEDED.get(name) in failing:
                continue
            if (state := _state(name, check)) is None:
                failing.append(name)
            else:
                states[name] = state
        if not failing:
            return Ready(status="ready", checks=states)
        response = problem_response(
            PROBLEMS[OperatorError],
            f"Not ready: {', '.join(failing)}.",
            "Wait if the server has just started; else the operator runs 'hmar doctor'.",
        )
        response.headers["Retry-After"] = "5"
        return response

    return routes


def _worker_answers(engine: Engine) -> None:
    if not engine.queue.ping():
        raise UnavailableError("No worker answers.", "Start one: python -m workers.")


def _model(engine: Engine) -> State:
    """Tell whether the model in use answers here; until it does, the one before does."""
    return "ok" if engine.check_model() else "loading"


def _caught_up(engine: Engine) -> None:
    waiting = engine.catalogue.last_seq() - engine.index.stats().last_seq
    if waiting >= LAG_ROWS:
        raise UnavailableError(f"{waiting} log rows wait.", "Wait until the index has caught up.")


def _state(name: str, check: Callable[[], object]) -> State | None:
    """Return how a part is, None where it does not work."""
    try:
        found = check()
    except OperatorError as error:
        _log.warning("not ready: %s: %s", name, error)
        return None
    except Exception as error:
        _log.warning("not ready: %s: %s", name, type(error).__name__)
        return None
    return "loading" if found == "loading" else "ok"
