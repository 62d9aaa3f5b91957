"""Ids of what fails: a trouble keeps its id for a minute, so that many clients do not fill the log."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

from hmar.logs import EVERY_S


class TroubleIds:
    """Thread-safe.

    Parameters
    ----------
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, float]] = {}

    def of(self, text: str) -> str:
        """Return the id of a trouble by what the log says of it."""
        now = self._clock()
        with self._lock:
            self._known = {key: value for key, value in self._known.items() if now - value[1] < EVERY_S}
            return self._known.setdefault(text, (uuid.uuid4().hex, now))[0]
