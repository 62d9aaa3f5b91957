"""The background refresh: goes on after errors, and keeps a snapshot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from hmar.ports import CodeIndex, IndexStats
from hmar.values.codes import Bits, Query
from hmar.values.entries import LogRow
from hmar.values.hits import CodeHit
from hmar.values.selection import Selection
from service.refresh import SNAPSHOT_ROWS, SNAPSHOT_SHARE, Refresher


class CountingIndex:
    """A :class:`hmar.ports.CodeIndex` that holds only a position and counts its snapshots."""

    def __init__(self) -> None:
        self.seq = self.deleted_seq = 0
        self.snapshots: list[int] = []
        self.frames: int | None = None
        self.checks = 0
        self.checked = threading.Event()

    def apply(self, rows: Sequence[LogRow]) -> None:
        self.seq += len(rows)

    def search_global(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        return []

    search_windows = search_fused = search_global

    def clear(self) -> None:
        self.seq = 0

    def stats(self) -> IndexStats:
        frames = self.seq if self.frames is None else self.frames
        snapshot_seq = (self.snapshots or [0])[-1]
        unsettled = self.deleted_seq > snapshot_seq
        return IndexStats(frames, 0, self.seq, "", "none", self.deleted_seq, snapshot_seq, unsettled)

    def snapshot(self) -> None:
        self.snapshots.append(self.seq)

    def check(self, stopped: Callable[[], bool] = lambda: False) -> None:
        self.checks += 1
        if self.checks == 1:
            raise OSError("the disk is not there")
        self.checked.set()

    def close(self) -> None:
        """Do nothing."""


class Log:
    """A log that breaks on its first reading, and then grows by ``step`` rows up to ``end``.

    It goes on once the index was looked after, so that its rows are seen between two steps.
    """

    def __init__(self, index: CountingIndex, step: int, end: int) -> None:
        self.index, self.step, self.end = index, step, end
        self.readings = 0
        self.drained = threading.Event()

    def __call__(self) -> int:
        self.readings += 1
        if self.readings == 1:
            raise ConnectionError("not yet")
        checks = self.index.checks
        while self.index.checks < checks + 2 and not self.drained.is_set():
            self.index.checked.wait(0.001)
        rows = min(self.step, self.end - self.index.seq)
        self.index.seq += rows
        if self.index.seq == self.end:
            self.drained.set()
        return rows


def run(step: int, end: int, frames: int | None = None) -> CountingIndex:
    index = CountingIndex()
    index.frames = frames
    log = Log(index, step, end)
    port: CodeIndex = index
    refresher = Refresher(log, port, interval_s=0.001)
    refresher.start()
    assert log.drained.wait(20)
    refresher.stop()
    return index


def test_rows_after_an_error_are_applied_and_a_clean_stop_writes_a_snapshot() -> None:
    assert run(step=1, end=5).snapshots == [5]


def test_a_snapshot_is_written_after_many_rows_and_again_at_the_end() -> None:
    snapshots = run(step=1000, end=SNAPSHOT_ROWS + 1000).snapshots
    assert snapshots == [SNAPSHOT_ROWS, SNAPSHOT_ROWS + 1000]


def test_a_large_index_is_written_after_a_share_of_its_frames() -> None:
    frames = 2 * SNAPSHOT_ROWS * SNAPSHOT_SHARE
    snapshots = run(step=1000, end=2 * SNAPSHOT_ROWS + 1000, frames=frames).snapshots
    assert snapshots == [2 * SNAPSHOT_ROWS, 2 * SNAPSHOT_ROWS + 1000]


def test_nothing_new_writes_no_snapshot() -> None:
    assert run(step=1, end=0).snapshots == []


def test_snapshots_are_looked_after_again_after_an_error() -> None:
    assert run(step=1, end=3).checks > 1


def settled(index: CountingIndex, settled_after_s: float, until: threading.Event) -> None:
    deleted = threading.Event()
    refresher = Refresher(lambda: 0, index, 0.001, settled_after_s, deleted.set)
    refresher.start()
    assert index.checked.wait(20)
    assert not deleted.is_set()
    index.seq, index.deleted_seq = 9, 8
    assert deleted.wait(20)
    until.wait(0.3)
    refresher.stop()


def test_a_snapshot_is_written_soon_after_a_delete_and_once() -> None:
    index = CountingIndex()
    settled(index, 0.01, threading.Event())
    assert index.snapshots == [9]


def test_deletes_that_follow_each_other_cost_one_snapshot() -> None:
    index = CountingIndex()
    settled(index, 3600, threading.Event())
    assert index.snapshots == [9]  # the one of the end
