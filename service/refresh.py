"""Keeps the index at the end of the log between searches, and its snapshot young."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hmar.ports import CodeIndex

_log = logging.getLogger("hmar.service.refresh")

SNAPSHOT_ROWS = 5000
"""A snapshot is written after this many new log rows, and when the service ends."""


class Refresher:
    """A thread that applies new log rows and writes snapshots.

    Parameters
    ----------
    refresh : callable
        Applies new rows; see :meth:`hmar.search.Searcher.refresh`. Searches apply rows as well.
    index : CodeIndex
        Tells the last row applied, and writes the snapshots.
    interval_s : float
        Pause between two rounds.
    """

    def __init__(self, refresh: Callable[[], int], index: CodeIndex, interval_s: float = 0.5) -> None:
        self._refresh = refresh
        self._index = index
        self._interval_s = interval_s
        self._kept_seq = index.stats().last_seq
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="refresh", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its round, and write a last snapshot if anything is new."""
        self._ended.set()
        self._thread.join()
        self._round(snapshot_rows=1)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._round(SNAPSHOT_ROWS)
            self._ended.wait(self._interval_s)

    def _round(self, snapshot_rows: int) -> None:
        """Do one round; an error is logged and the next round tries again."""
        try:
            self._refresh()
            last_seq = self._index.stats().last_seq
            # Less than before, where the database was restored from an older copy.
            if abs(last_seq - self._kept_seq) >= snapshot_rows:
                self._index.snapshot()
                self._kept_seq = last_seq
        except Exception as error:
            _log.error("the index was not refreshed: %s", type(error).__name__)
