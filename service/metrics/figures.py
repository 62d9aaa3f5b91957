"""The figures that are counted as requests come, and the text in which all are read."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from hmar.stages import STAGES

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_JUDGED = {None: "not_told", False: "typical", True: "out_of_distribution"}


class Metrics:
    """Figures of one application. Thread-safe."""

    def __init__(self) -> None:
        # They are a second series beside each, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        self._requests = Histogram(
            "hmar_request_seconds",
            "Time in which a request was worked on, without its wait for a thread.",
            ("method", "route", "status"),
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._stages = Histogram(
            "hmar_search_stage_seconds",
            "Time of a request to search for reading frames, encoding, comparing codes, and the database.",
            ("stage",),
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._queries = Counter(
            "hmar_queries",
            "Searches with frames, by whether the model finds the query typical of what it knows.",
            ("typicality",),
            registry=self._registry,
        )
        self._refusals = Counter(
            "hmar_refusals",
            "Requests that were refused before they reached a route, by the status of the answer.",
            ("status",),
            registry=self._registry,
        )
        for name in STAGES:
            self._stages.labels(name)
        for judged in _JUDGED.values():
            self._queries.labels(judged)

    def read_state(self, state: Collector) -> None:
        """Read what a collector tells with each exposition, too."""
        self._registry.register(state)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer by its route, which is a rule and no address."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def count_stages(self, seconds: Mapping[str, float]) -> None:
        """Count what the stages of one search took."""
        for name, took in seconds.items():
            self._stages.labels(name).observe(took)

    def count_query(self, out_of_distribution: bool | None) -> None:
        """Count a query; None where the model cannot tell whether it is out of distribution."""
        self._queries.labels(_JUDGED[out_of_distribution]).inc()

    def count_refusal(self, status: int) -> None:
        """Count a request that was refused before it reached a route."""
        self._refusals.labels(str(status)).inc()

    def exposition(self) -> bytes:
        """Return all figures in Prometheus's text format, version 0.0.4."""
        return generate_latest(self._registry)
