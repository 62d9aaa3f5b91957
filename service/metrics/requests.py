"""Every request is counted and logged by its route, when its answer is ready."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from hmar import request_ids
from hmar.stages import note_stages
from hmar.tracing import Tracer
from hmar.values.results import Results
from service import problems
from service.edge.environ import REQUEST_ID
from service.metrics.figures import Metrics

HEADER = "X-Request-ID"
_access = logging.getLogger("hmar.service.access")


def install(app: Flask, metrics: Metrics, tracer: Tracer | None = None) -> None:
    """Count, log and trace every request of ``app``; call it first: its clock starts with the first hook."""

    def begin() -> None:
        # Where the edge has no id for it, the application is asked without the edge.
        given = request.headers.get(HEADER, "")
        request_ids.begin(request.environ.get(REQUEST_ID) or request_ids.chosen(given))
        g.started = time.perf_counter()
        g.stages = note_stages()
        g.queries = []

    def end(response: Response) -> Response:
        """Name the route and not the address, which holds UIDs."""
        rule = request.url_rule.rule if request.url_rule else "-"
        seconds = time.perf_counter() - g.started
        metrics.count_request(problems.logged_method(), rule, response.status_code, seconds)
        response.headers[HEADER] = request_ids.current()
        metrics.count_stages(g.stages)
        for out_of_distribution, made in g.queries:
            metrics.count_query(out_of_distribution, made)
        if tracer is not None:
            _trace(tracer, rule, response.status_code, seconds)
        _access.info("%s %s %d %.1f ms", problems.logged_method(), rule, response.status_code, 1000 * seconds)
        return response

    def leave(_error: BaseException | None) -> None:
        """Let a context that is no request's own, without the edge, work on none any more."""
        if REQUEST_ID not in request.environ:
            request_ids.begin("")

    app.before_request(begin)
    app.after_request(end)
    app.teardown_request(leave)


def _trace(tracer: Tracer, rule: str, status: int, seconds: float) -> None:
    method = problems.logged_method()
    tracer.note(
        f"{method} {rule}",
        "server",
        seconds,
        {
            "http.request.method": method,
            "http.route": rule,
            "http.response.status_code": status,
            "hmar.request_id": request_ids.current(),
            **{f"hmar.stage.{name}_s": took for name, took in g.stages.items()},
        },
        failed=status >= 500,
        traceparent=request.headers.get("traceparent", ""),
    )


def count_query(results: Results) -> None:
    """Count a query of the current request by whether it is out of distribution, and how it was searched."""
    out_of_distribution = results[0].query_out_of_distribution if results else None
    g.queries.append((out_of_distribution, results.thoroughness.search))
