"""How many frames a model has not indexed: what a search with it cannot find."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from hmar.ports import ModelStore
from hmar.values.deletion import Collections, among
from hmar.values.models import Coverage

COUNTED_EVERY_S = 60.0
"""Counting goes through the names of all frames: about a second for a million."""


class Unindexed:
    """Counts them, at most once a minute. Thread-safe.

    Parameters
    ----------
    models : ModelStore
    model_fingerprint : str
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(
        self, models: ModelStore, model_fingerprint: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._models = models
        self._model_fingerprint = model_fingerprint
        self._clock = clock
        self._counting = threading.Lock()
        self._counted_at: float | None = None
        self._counted: Mapping[str, Coverage] = {}

    def __call__(self, collection: Collections = None) -> int:
        """Return how many frames of some collections other models have indexed and this one has not."""
        self._count()
        return sum(held.missing for name, held in self._counted.items() if among(name, collection))

    def _count(self) -> None:
        """Count anew, if it is time to; who comes meanwhile takes what was counted before."""
        if not self._counting.acquire(blocking=self._counted_at is None):
            return
        try:
            now = self._clock()
            if self._counted_at is None or now - self._counted_at >= COUNTED_EVERY_S:
                self._counted = self._models.coverage(self._model_fingerprint)
                self._counted_at = now
        finally:
            self._counting.release()
