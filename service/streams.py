"""Answers that go on for minutes, bounded: so many at a time, and at most half of them for one client."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from service.edge.wsgi import PAUSE_S


class Streams:
    """Counts the streams that are open. Thread-safe.

    Parameters
    ----------
    most : int
        Streams at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, name: str) -> Callable[[], None] | None:
        """Count one more stream of a client; return what ends it, or None where there is no room."""
        with self._lock:
            if self._open.total() >= self._most or self._open[name] >= (self._most + 1) // 2:
                return None
            self._open[name] += 1
        held = ExitStack()
        held.callback(self._leave, name)
        return held.close

    def _leave(self, name: str) -> None:
        with self._lock:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]


def paced(environ: dict[str, Any], pause_s: float) -> Callable[[], None]:
    """Have the edge wait before each further piece of an answer; return what waits where there is no edge."""
    if PAUSE_S not in environ:
        return lambda: time.sleep(pause_s)
    environ[PAUSE_S] = pause_s
    return lambda: None
