"""Spans of requests and index jobs for an OpenTelemetry collector; the only file that knows its library."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

from hmar.errors import ConfigError

WAITING = 2048
"""Spans that may wait for the collector; more are dropped."""
TIMEOUT_S = 5
_LIBRARY = "hmar"
Role = Literal["server", "consumer"]


class Tracer:
    """Sends spans by OTLP over HTTP, from a thread of its own: nobody waits for the collector.

    Spans hold names of routes and of stages, and no UID, name or address.

    Parameters
    ----------
    endpoint : str
        Base URL of the collector, such as ``http://127.0.0.1:4318``.
    service : str
        What the spans are of: ``service.name``.

    Raises
    ------
    ConfigError
        If the extra ``otel`` is not installed.
    """

    def __init__(self, endpoint: str, service: str) -> None:
        try:
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"HMAR_OTEL_ENDPOINT is set, and {error.name} is not installed.",
                "Run: pip install 'hmar-search[otel]', or unset it.",
            ) from error
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=WAITING))
        self._tracer = self._provider.get_tracer(_LIBRARY)

    def note(
        self,
        name: str,
        role: Role,
        seconds: float,
        attributes: Mapping[str, str | int | float],
        failed: bool = False,
        traceparent: str = "",
    ) -> None:
        """Note what has just ended.

        Parameters
        ----------
        name : str
            What it is a case of, such as a method and a route.
        role : str
            Whether it answered a request, or did what a message asked for.
        seconds : float
            How long it took.
        attributes : mapping
        failed : bool
            Whether the fault was ours.
        traceparent : str
            The header of that name (W3C Trace Context): what asked for it. Anything else than such a header
            begins a trace.
        """
        kinds = {"server": self._trace.SpanKind.SERVER, "consumer": self._trace.SpanKind.CONSUMER}
        end_ns = time.time_ns()
        span: Any = self._tracer.start_span(
            name,
            self._propagator.extract({"traceparent": traceparent}),
            kinds[role],
            dict(attributes),
            start_time=end_ns - round(1e9 * seconds),
        )
        if failed:
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(end_ns)

    def close(self) -> None:
        """Send what waits, for a few seconds at most."""
        self._provider.shutdown()
