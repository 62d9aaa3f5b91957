"""GET /metrics: figures for Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response, g

from hmar.errors import ForbiddenError
from service.metrics.figures import MEDIA_TYPE, Metrics
from service.operations.operation import Content, operation


def blueprint(metrics: Metrics) -> Blueprint:
    """Return the route that gives figures."""
    routes = Blueprint("figures", __name__)

    @routes.get("/metrics")
    @operation(
        "readMetrics",
        "Figures for Prometheus",
        tag="health",
        gives=Content("Figures in Prometheus's text format, version 0.0.4.", "text/plain"),
        scope="metrics",
        description="Latencies, what waits, the size of the index. They are of the whole archive: a key that "
        "is limited to collections is refused.",
        raises=(ForbiddenError,),
    )
    def read() -> Response:
        if g.access.identity.collections is not None:
            raise ForbiddenError(
                "This key or login is limited to collections, and figures are of the whole archive.",
                "Use a key for all collections: 'hmar keys new NAME --scope metrics'.",
            )
        return Response(metrics.exposition(), content_type=MEDIA_TYPE)

    return routes
