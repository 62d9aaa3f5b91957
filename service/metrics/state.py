"""The figures that are read from the archive when somebody asks: what waits, and what the index holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hmar.errors import OperatorError
from hmar.values.codes import CODE_BITS
from hmar.values.follows import FollowInfo, FollowState
from hmar.wiring import Engine

_log = logging.getLogger("hmar.service.metrics")
_CODE_BYTES = CODE_BITS // 8


class State(Collector):
    """Asks the parts of an engine; figures of a part that does not answer are left out.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._parts: dict[str, Callable[[], Iterator[Metric]]] = {
            "jobs": self._jobs,
            "index": self._index,
            "log": self._log_rows,
            "disk": self._disk,
            "webhooks": self._webhooks,
            "followed PACS": self._followed,
        }

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        for name, part in self._parts.items():
            try:
                yield from list(part())
            except OperatorError as error:
                _log.warning("no figures of %s: %s", name, error)
            except Exception as error:
                _log.warning("no figures of %s: %s", name, type(error).__name__)

    def _jobs(self) -> Iterator[Metric]:
        load = self._engine.jobs.load()
        files = GaugeMetricFamily(
            "hmar_index_job_files", "Files of index jobs that wait, or are in hand.", labels=("state",)
        )
        files.add_metric(("queued",), load.queued_items)
        files.add_metric(("running",), load.running_items)
        yield files
        yield GaugeMetricFamily(
            "hmar_index_jobs_unlisted", "Index jobs whose folder was not listed yet.", load.unlisted_jobs
        )
        yield GaugeMetricFamily(
            "hmar_index_jobs_oldest_seconds",
            "Time since the oldest index job of which anything waits was submitted.",
            load.oldest_s,
        )

    def _index(self) -> Iterator[Metric]:
        stats = self._engine.index.stats()
        yield GaugeMetricFamily("hmar_index_frames", "Frames that can be found.", stats.frames)
        yield GaugeMetricFamily("hmar_index_windows", "Windows that can be found.", stats.windows)
        yield GaugeMetricFamily(
            "hmar_index_gpu_windows",
            "Windows that a GPU scans; 0 while the processor does.",
            stats.gpu_windows,
        )
        yield GaugeMetricFamily(
            "hmar_index_code_bytes",
            "Codes of these frames and windows.",
            _CODE_BYTES * (stats.frames + stats.windows),
        )

    def _log_rows(self) -> Iterator[Metric]:
        written, applied = self._engine.catalogue.last_seq(), self._engine.index.stats().last_seq
        yield CounterMetricFamily(
            "hmar_log_rows", "Rows of the log: each is a frame that was indexed or deleted.", written
        )
        yield GaugeMetricFamily(
            "hmar_index_lag_rows",
            "Rows of the log that the index has not applied.",
            max(0, written - applied),
        )

    def _disk(self) -> Iterator[Metric]:
        free = self._engine.disk.free_bytes()
        if free is not None:
            yield GaugeMetricFamily(
                "hmar_disk_free_bytes", "Free space of the fullest disk that the archive writes to.", free
            )

    def _webhooks(self) -> Iterator[Metric]:
        held, end = self._engine.storage.webhooks.listed(), self._engine.catalogue.last_seq()
        yield CounterMetricFamily(
            "hmar_webhook_deliveries",
            "Deliveries that receivers have taken, of the webhooks that there are.",
            sum(one.deliveries for one in held),
        )
        yield CounterMetricFamily(
            "hmar_webhook_failures",
            "Attempts at deliveries that failed, of the webhooks that there are.",
            sum(one.attempts_failed for one in held),
        )
        yield GaugeMetricFamily(
            "hmar_webhook_lag_rows",
            "Rows of the log that the webhook which is farthest behind has not been sent.",
            max((end - one.after for one in held if not one.disabled), default=0),
        )
        yield GaugeMetricFamily(
            "hmar_webhooks_disabled", "Webhooks that were given up.", sum(one.disabled for one in held)
        )

    def _followed(self) -> Iterator[Metric]:
        held = [one for one in self._engine.following.listed() if one.follow is not None]
        states = [one.followed.state for one in held]
        yield GaugeMetricFamily(
            "hmar_pacs_lag_seconds",
            "Time since all that came to the followed PACS which is farthest behind was taken.",
            max((_lag_s(one) for one in held), default=0.0),
        )
        yield GaugeMetricFamily(
            "hmar_pacs_behind",
            "News of followed PACS that was not taken yet, at most.",
            _sum(states, "behind"),
        )
        drift = GaugeMetricFamily(
            "hmar_pacs_drift_instances",
            "Instances that the last sweeps found only in a PACS, or only in the archive.",
            labels=("only",),
        )
        drift.add_metric(("there",), _sum(states, "only_there"))
        drift.add_metric(("here",), _sum(states, "only_here"))
        yield drift
        yield CounterMetricFamily(
            "hmar_pacs_failures", "Looks at followed PACS that failed.", _sum(states, "failed")
        )
        yield GaugeMetricFamily(
            "hmar_pacs_sweeps_stopped",
            "Followed PACS whose last sweep would have deleted too much, or could not compare all.",
            sum(state.stopped is not None for state in states),
        )
        yield GaugeMetricFamily(
            "hmar_pacs_unwatched",
            "Followed PACS that nobody watches.",
            sum(not one.followed.watched for one in held),
        )


def _lag_s(one: FollowInfo) -> float:
    """Return the lag of a PACS; where it was never caught up with, the time for which that has failed."""
    failing_since = one.followed.state.failing_since
    if one.lag_s is not None or failing_since is None:
        return one.lag_s or 0.0
    return max(0.0, one.now - failing_since)


def _sum(states: Iterable[FollowState], name: str) -> int:
    return sum(getattr(state, name) for state in states)
