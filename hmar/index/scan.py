"""The region scan: which frames hold the windows nearest to a query's, exactly, on several threads.

Frames are split into blocks, which threads take in turn. A histogram of the sums found so far gives the
cut-off; each block starts from it and adds to it. The order of blocks changes how much is skipped, but no
answer: every frame within the final cut-off is found.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from hmar.index.hamming import Slots
from hmar.index.planes import query_bytes
from hmar.index.prefix import Prefix
from hmar.index.weighted import QueryCodes, WeightedCodes, largest_sum
from hmar.index.windows import Segment, Windows
from hmar.values.codes import Bits

BLOCK_WINDOWS = 1 << 20
"""Windows that a thread takes at a time: some hundred microseconds of work."""
GAP_FRAMES = 16
"""Gaps of up to this many frames are scanned with their run: to begin another costs as much."""

Runs = NDArray[np.int64]
Mask = NDArray[np.uint8]
Sums = NDArray[np.int64]
_Kernel = Callable[..., int]


def load_kernels(compiled: bool = True) -> ModuleType:
    """Return the compiled kernels, or numpy's where numba is not there or not wanted."""
    from hmar.index import portable

    if compiled:
        try:
            from hmar.index import kernels
        except ImportError:
            return portable
        return kernels
    return portable


class Scanner:
    """Scans windows, and keeps the threads for it. Thread-safe.

    Parameters
    ----------
    threads : int
        How many work at one query, the calling one included; from 1.
    compiled : bool
        False for numpy in place of compiled kernels; it gives the same answers.
    """

    def __init__(self, threads: int = 1, compiled: bool = True) -> None:
        self._threads = threads
        self._kernels = load_kernels(compiled)
        self._pool = ThreadPoolExecutor(threads - 1, "scan") if threads > 1 else None

    @property
    def processor(self) -> Scanner:
        """The scanner itself."""
        return self

    def nearest(
        self, windows: Windows, queries: QueryCodes, k: int, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, Sums]:
        """Return every frame that is not farther than the k-th nearest, and its sum.

        A frame's sum is, over the query's windows, that of the distances to its nearest window. Frames
        without windows are left out.

        Parameters
        ----------
        windows : Windows
        queries : ndarray of uint8, shape (Q, 16), or WeightedCodes
            From one window. The sums of weighted ones are sums of weights.
        k : int
            From 1.
        bits : int
            64 or 128.
        slots : ndarray of int64 or None
            The frames asked for, ascending; None for all.

        Returns
        -------
        tuple of ndarray of int64, shape (n,) each
            Slots, ascending, and sums.
        """
        return self.nearest_of_each(windows, [queries], k, bits, slots)[0]

    def nearest_of_each(
        self,
        windows: Windows,
        queries: Sequence[QueryCodes],
        k: int,
        bits: Bits,
        slots: Slots | None = None,
    ) -> list[tuple[Slots, Sums]]:
        """Answer several queries in one pass over the codes."""
        searches = [_Search(self._kernels, query, k, bits) for query in queries]
        self._scan(windows, searches, slots)
        return [search.nearest() for search in searches]

    def within(
        self, windows: Windows, queries: QueryCodes, radius: int, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, Sums]:
        """Return every frame whose sum is at most ``radius``; otherwise as :meth:`nearest`."""
        search = _Search(self._kernels, queries, len(windows) + 1, bits, radius)
        self._scan(windows, [search], slots)
        return search.found()

    def sums(
        self, windows: Windows, queries: QueryCodes, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, Sums]:
        """Return every frame that has windows, and its sum; otherwise as :meth:`nearest`."""
        return self.within(windows, queries, largest_sum(queries, bits), bits, slots)

    def gpu_windows(self) -> int:
        """Return 0: no graphics card scans."""
        return 0

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _scan(self, windows: Windows, searches: Sequence[_Search], slots: Slots | None) -> None:
        blocks = list(_blocks(windows, slots))
        left = iter(blocks)
        taking = threading.Lock()

        def work() -> None:
            while True:
                with taking:
                    block = next(left, None)
                if block is None:
                    return
                for search in searches:
                    search.look_at(*block)

        helpers = min(self._threads, len(blocks)) - 1
        futures = [self._pool.submit(work) for _ in range(helpers)] if self._pool is not None else []
        work()
        for future in futures:
            if not future.cancel():  # one still queued behind another search has no blocks left to take
                future.result()


class _Search:
    """The state of one query during a scan."""

    def __init__(
        self, kernels: ModuleType, queries: QueryCodes, k: int, bits: Bits, limit: int | None = None
    ) -> None:
        self._k, self._planes = k, bits // 8
        largest = largest_sum(queries, bits)
        self._limit = largest if limit is None else max(-1, min(limit, largest))
        prunes = limit is None or limit < largest
        self._kernel: _Kernel
        if isinstance(queries, WeightedCodes):
            self._queries, self._kernel = queries.tables, kernels.scan_weighted
        else:
            one = prunes and len(queries) == 1
            self._queries = query_bytes(queries)
            self._kernel = kernels.scan_columns if one else kernels.scan_frames
        self._prefix = Prefix(self._planes)
        self._histogram = np.zeros(largest + 1, np.int64)
        self._parts: list[tuple[Slots, Sums]] = []
        self._lock = threading.Lock()

    def look_at(self, segment: Segment, first: int, runs: Runs, mask: Mask) -> None:
        """Scan a block: the frames of a mask within runs of a segment whose first slot is ``first``."""
        frames = int((runs[:, 1] - runs[:, 0]).sum())
        found, sums, judged = np.empty(frames, np.int64), np.empty(frames, np.int64), np.zeros(2, np.int64)
        with self._lock:
            histogram, planes = self._histogram.copy(), self._prefix.planes
        known = int(histogram.sum())
        count = self._kernel(
            segment.codes, segment.offsets, runs, mask, self._queries, self._planes,
            planes, self._k, self._limit, histogram, judged, found, sums,
        )  # fmt: skip
        with self._lock:
            self._parts.append((found[:count] + first, sums[:count].copy()))
            self._histogram += np.bincount(sums[:count], minlength=len(self._histogram))
            if known >= self._k or self._limit < len(self._histogram) - 1:
                self._prefix.judge(planes, *judged.tolist())

    def found(self) -> tuple[Slots, Sums]:
        """Return what was found, by slot."""
        nothing = (np.empty(0, np.int64), np.empty(0, np.int64))
        slots, sums = (np.concatenate(arrays) for arrays in zip(nothing, *self._parts, strict=True))
        order = np.argsort(slots)
        return slots[order], sums[order]

    def nearest(self) -> tuple[Slots, Sums]:
        """Return what is not farther than the k-th nearest."""
        slots, sums = self.found()
        cutoff = int(np.searchsorted(np.cumsum(self._histogram), self._k))
        near = sums <= cutoff
        return slots[near], sums[near]


def _blocks(windows: Windows, slots: Slots | None) -> Iterator[tuple[Segment, int, Runs, Mask]]:
    if slots is None:
        first = 0
        for segment in windows.segments:
            mask = np.ones(len(segment), np.uint8)
            for runs in cut(segment.offsets, np.array([[0, len(segment)]])):
                yield segment, first, runs, mask
            first += len(segment)
        return
    for segment, first, frames in windows.split(slots):
        mask = np.zeros(len(segment), np.uint8)
        mask[frames] = 1
        for runs in cut(segment.offsets, runs_of(frames, GAP_FRAMES)):
            yield segment, first, runs, mask


def runs_of(frames: NDArray[np.int64], gap: int) -> Runs:
    """Return runs that cover ascending frames, shape (R, 2): first, and one beyond the last.

    Up to ``gap`` other frames in a row lie within a run.
    """
    breaks = np.flatnonzero(np.diff(frames) > gap + 1) + 1
    starts = np.concatenate([frames[:1], frames[breaks]])
    stops = np.concatenate([frames[breaks - 1], frames[-1:]]) + 1
    return np.stack([starts, stops], axis=1)


def cut(offsets: NDArray[np.int64], runs: Runs, size: int = BLOCK_WINDOWS) -> list[Runs]:
    """Cut runs of frames into blocks of about ``size`` windows; a frame is never cut."""
    pieces = [np.empty((0, 2), np.int64)]
    counts = offsets[runs[:, 1]] - offsets[runs[:, 0]]
    for first, last in runs[counts > size].tolist():
        pieces.append(_pieces(offsets, first, last, size))
    pieces.append(runs[counts <= size])
    small = np.concatenate(pieces)
    small = small[np.argsort(small[:, 0])]
    small = small[small[:, 0] < small[:, 1]]
    if not len(small):
        return []
    counts = offsets[small[:, 1]] - offsets[small[:, 0]]
    number = (np.cumsum(counts) - counts) // size
    return [np.ascontiguousarray(part) for part in np.split(small, np.flatnonzero(np.diff(number)) + 1)]


def _pieces(offsets: NDArray[np.int64], first: int, last: int, size: int) -> Runs:
    """Cut one run, shape (n, 2)."""
    marks = np.arange(offsets[first], offsets[last], size)[1:]
    inner = np.unique(np.searchsorted(offsets[first : last + 1], marks) + first)
    bounds = np.concatenate([[first], inner[(inner > first) & (inner < last)], [last]])
    return np.stack([bounds[:-1], bounds[1:]], axis=1)
