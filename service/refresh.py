"""Keeps the index up to date with the log between searches, and its snapshot recent and intact."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from hmar.errors import OperatorError
from hmar.ports import CodeIndex, IndexStats

_log = logging.getLogger("hmar.service.refresh")

SNAPSHOT_ROWS = 5000
"""A snapshot is written after this many new log rows, and when the service ends."""
SETTLED_AFTER_S = 10.0
"""Or so long after frames were deleted, whose codes are in the snapshot before: several deletes in a row cost
one snapshot."""
SNAPSHOT_SHARE = 20
"""Or after one new row per this many frames, where that is more: new rows are private memory of each process,
but a snapshot writes everything."""


LONGEST_PAUSE_S = 30.0
"""While rounds fail, pauses grow to this: a snapshot that does not fit is not written over and over."""


class Refresher:
    """Two threads: one applies new log rows and writes snapshots, one looks after those on disk.

    Parameters
    ----------
    refresh : callable
        Applies new rows; see :meth:`hmar.search.Searcher.refresh`. Searches apply rows as well.
    index : CodeIndex
        Tells the last row applied, and writes the snapshots.
    interval_s : float
        Pause between two rounds.
    settled_after_s : float
        Snapshots that hold what was deleted are replaced after this long.
    deleted : callable
        Called when frames were deleted: forgets what else is kept of them.
    """

    def __init__(
        self,
        refresh: Callable[[], int],
        index: CodeIndex,
        interval_s: float = 0.5,
        settled_after_s: float = SETTLED_AFTER_S,
        deleted: Callable[[], None] = lambda: None,
    ) -> None:
        self._refresh = refresh
        self._index = index
        self._interval_s = interval_s
        self._settled_after_s = settled_after_s
        self._deleted = deleted
        self._deleted_seq = 0
        self._unsettled_since: float | None = None
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(part,), name=name, daemon=True)
            for name, part in (("refresh", self._refreshed), ("snapshots", self._kept))
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def abandon(self) -> None:
        """End the threads, and leave the index as it is."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """End the threads, and write a last snapshot if anything is new."""
        self.abandon()
        self._try(self._refreshed)
        self._try(lambda: self._snapshot(lambda _stats: 1))

    def _run(self, part: Callable[[], None]) -> None:
        pause_s = self._interval_s
        while not self._ended.is_set():
            pause_s = self._interval_s if self._try(part) else min(2 * pause_s, LONGEST_PAUSE_S)
            self._ended.wait(pause_s)

    def _try(self, part: Callable[[], None]) -> bool:
        """Do one round and return whether it went well; an error is logged and the next round tries again."""
        try:
            part()
        except OperatorError as error:
            _log.error("the index was not refreshed: %s", error)
            return False
        except Exception as error:
            _log.error("the index was not refreshed: %s", type(error).__name__)
            return False
        return True

    def _refreshed(self) -> None:
        self._refresh()
        deleted_seq = self._index.stats().deleted_seq
        if deleted_seq != self._deleted_seq:
            self._deleted()
            self._deleted_seq = deleted_seq

    def _kept(self) -> None:
        self._index.check(self._ended.is_set)
        if not self._ended.is_set():
            self._settle()
            self._snapshot(_rows_between)

    def _settle(self) -> None:
        """Replace the snapshots that hold deleted codes, once some time has passed."""
        stats = self._index.stats()
        if not (stats.unsettled and stats.deleted_seq > stats.snapshot_seq):
            self._unsettled_since = None
            return
        now = time.monotonic()
        if self._unsettled_since is None:
            self._unsettled_since = now
        if now - self._unsettled_since >= self._settled_after_s:
            self._unsettled_since = None  # another process may be writing one: no new try at once
            self._index.snapshot()

    def _snapshot(self, rows: Callable[[IndexStats], int]) -> None:
        stats = self._index.stats()
        # Less than before, where the database was restored from an older copy.
        if abs(stats.last_seq - stats.snapshot_seq) >= rows(stats):
            self._index.snapshot()


def _rows_between(stats: IndexStats) -> int:
    return max(SNAPSHOT_ROWS, stats.frames // SNAPSHOT_SHARE)
