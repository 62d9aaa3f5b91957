"""The figures that are counted as requests come, and the text in which all are read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    values,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.values import MultiProcessValue

from hmar.stages import STAGES
from hmar.values.fast import Search
from service.metrics.processes import Processes
from service.metrics.shared import SharedFigures

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_JUDGED = {None: "not_told", False: "typical", True: "out_of_distribution"}


class Tallies(NamedTuple):
    """What parts of this process have counted since its start, but for ``waiting``, which is now."""

    replaced: int = 0
    sent: int = 0
    dropped: int = 0
    waiting: int = 0


class Metrics:
    """Figures of one application, or of several that share a folder. Thread-safe.

    Parameters
    ----------
    tallies : callable
        Returns how many decoders of this process were replaced, and what became of rows of the audit log for
        the syslog receiver.
    shared : SharedFigures or None
        Where the processes keep their figures, which they tell as sums. The environment names the folder.
        None for a process alone.
    """

    def __init__(self, tallies: Callable[[], Tallies], shared: SharedFigures | None = None) -> None:
        # They are a second series beside each, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry(auto_describe=False)
        self._told = self._registry if shared is None else CollectorRegistry(auto_describe=False)
        if shared is None:
            ProcessCollector(registry=self._registry)
        else:
            # As its documentation has it for servers that number their processes: one that is started again
            # goes on with the file of its number.
            values.ValueClass = MultiProcessValue(lambda: shared.number)  # type: ignore[no-untyped-call]
            MultiProcessCollector(self._told, str(shared.folder))  # type: ignore[no-untyped-call]
            self._told.register(Processes(shared))
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
            "Searches with frames, by whether the model finds the query typical, and by exact or fast.",
            ("typicality", "made"),
            registry=self._registry,
        )
        self._refusals = Counter(
            "hmar_refusals",
            "Requests that were refused before they reached a route, by the status of the answer.",
            ("status",),
            registry=self._registry,
        )
        self._decoders = Counter(
            "hmar_decoders_replaced",
            "Child processes of the web server that ended while they decoded, or had to be ended.",
            registry=self._registry,
        )
        self._feed = Counter(
            "hmar_audit_feed_rows",
            "Rows of the audit log for the syslog receiver, by whether they were sent.",
            ("outcome",),
            registry=self._registry,
        )
        self._waiting = Gauge(
            "hmar_audit_feed_waiting",
            "Rows of the audit log that wait for the syslog receiver.",
            registry=self._registry,
            multiprocess_mode="sum",
        )
        self._tallies, self._counted = tallies, Tallies()
        self._counting = threading.Lock()
        for name in STAGES:
            self._stages.labels(name)
        for judged in _JUDGED.values():
            for made in get_args(Search):
                self._queries.labels(judged, made)

    def read_state(self, state: Collector) -> None:
        """Read what a collector tells with each exposition, too."""
        self._told.register(state)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer by its route, which is a rule and no address."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def count_stages(self, seconds: Mapping[str, float]) -> None:
        """Count what the stages of one search took."""
        for name, took in seconds.items():
            self._stages.labels(name).observe(took)

    def count_query(self, out_of_distribution: bool | None, made: Search) -> None:
        """Count a query; None where the model cannot tell whether it is out of distribution."""
        self._queries.labels(_JUDGED[out_of_distribution], made).inc()

    def count_refusal(self, status: int) -> None:
        """Count a request that was refused before it reached a route."""
        self._refusals.labels(str(status)).inc()

    def count_tallies(self) -> None:
        """Count what parts of this process have counted since the last time."""
        with self._counting:
            now, before = self._tallies(), self._counted
            self._decoders.inc(now.replaced - before.replaced)
            self._feed.labels("sent").inc(now.sent - before.sent)
            self._feed.labels("dropped").inc(now.dropped - before.dropped)
            self._waiting.set(now.waiting)
            self._counted = now

    def exposition(self) -> bytes:
        """Return all figures in Prometheus's text format, version 0.0.4."""
        self.count_tallies()
        return generate_latest(self._told)
