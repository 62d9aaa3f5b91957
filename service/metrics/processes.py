"""What the kernel tells of each of several web processes: memory, processor time, open files."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from service.metrics.shared import SharedFigures


class Processes(Collector):
    """The figures of all processes, each under its number: a sum would fall when one is started again.

    Parameters
    ----------
    shared : SharedFigures
        Knows their process ids.
    """

    def __init__(self, shared: SharedFigures) -> None:
        self._shared = shared

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; of a process that is gone there are none."""
        told: dict[str, Metric] = {}
        for number, process_id in self._shared.process_ids().items():
            for metric in _of_process(process_id):
                family = told.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                for sample in metric.samples:
                    family.add_sample(sample.name, {"process": str(number + 1)}, sample.value)
        yield from told.values()


def _of_process(process_id: int) -> Iterator[Metric]:
    yield from ProcessCollector(pid=lambda: process_id, registry=None).collect()
