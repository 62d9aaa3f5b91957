"""The region scan on a graphics card, beside the processor that does what the card does not.

Codes are copied to the card once for each snapshot, in a thread of its own; meanwhile the processor scans.
What comes after the snapshot follows before the next search. Whatever fails on the card is said once in the
log, and the processor scans until there is another snapshot: a search is slower then, and never wrong.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.index.gpu import kernels
from hmar.index.gpu.resident import NoRoomError, ResidentSegment
from hmar.index.hamming import Slots
from hmar.index.scan import Scanner, Sums
from hmar.index.weighted import QueryCodes, WeightedCodes, largest_sum
from hmar.index.windows import Segment, Windows
from hmar.values.codes import Bits

FEW_FRAMES = 1024
"""Of so few frames the processor knows the sums before a card would have been asked."""
AT_ONCE_WINDOWS = 1 << 22
"""Windows that a search waits for: 64 MiB. More are copied while the processor scans."""
FRAME_THREADS = 64
"""Threads that share a frame: the 650 to 770 windows of a 512 x 512 body CT take 11 or 12 rounds."""
_FRAME_BLOCKS = 1 << 16
_PAST_KEPT = 16

_Limit = Callable[[NDArray[np.int64]], int]
_log = logging.getLogger(__name__)


class GpuScanner:
    """A :class:`hmar.index.scanning.WindowScanner` on a CUDA device. Thread-safe; searches take turns.

    Parameters
    ----------
    processor : Scanner
        Scans what the card does not.
    few_frames : int
        Selections of fewer frames are left to the processor.
    """

    def __init__(self, processor: Scanner, few_frames: int = FEW_FRAMES) -> None:
        self._processor = processor
        self._few_frames = few_frames
        self._using = threading.Lock()
        self._held: dict[object, ResidentSegment] = {}
        self._past: deque[object] = deque(maxlen=_PAST_KEPT)
        self._refused: object = None
        self._copying: threading.Thread | None = None

    def nearest(
        self, windows: Windows, queries: QueryCodes, k: int, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, Sums]:
        """Return every frame that is not farther than the k-th nearest, and its sum."""

        def kth(histogram: NDArray[np.int64]) -> int:
            return int(np.searchsorted(np.cumsum(histogram), k))

        found = self._found(windows, queries, bits, slots, kth)
        return self._processor.nearest(windows, queries, k, bits, slots) if found is None else found

    def nearest_of_each(
        self,
        windows: Windows,
        queries: Sequence[QueryCodes],
        k: int,
        bits: Bits,
        slots: Slots | None = None,
    ) -> list[tuple[Slots, Sums]]:
        """Answer several queries, one after the other: arithmetic is the limit, and not memory."""
        return [self.nearest(windows, query, k, bits, slots) for query in queries]

    def within(
        self, windows: Windows, queries: QueryCodes, radius: int, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, Sums]:
        """Return every frame whose sum is at most ``radius``, and its sum."""
        found = self._found(windows, queries, bits, slots, lambda _: radius)
        return self._processor.within(windows, queries, radius, bits, slots) if found is None else found

    def sums(
        self, windows: Windows, queries: QueryCodes, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, Sums]:
        """Return every frame that has windows, and its sum."""
        return self.within(windows, queries, largest_sum(queries, bits), bits, slots)

    def gpu_windows(self) -> int:
        """Return how many windows the card holds; 0 until they are copied, and where it cannot."""
        return sum(resident.windows for resident in list(self._held.values()))

    def close(self) -> None:
        """Give back the card's memory, and end the processor's threads."""
        self.settle()
        with self._using:
            self._held = {}
        self._processor.close()

    def settle(self) -> None:
        """Wait until what is being copied to the card is there, or refused."""
        copying = self._copying
        if copying is not None:
            copying.join()

    def _found(
        self, windows: Windows, queries: QueryCodes, bits: Bits, slots: Slots | None, limit: _Limit
    ) -> tuple[Slots, Sums] | None:
        """Scan on the card; return None where the processor has to."""
        if not windows.windows or (slots is not None and len(slots) < self._few_frames):
            return None
        with self._using:
            try:
                held = self._followed(windows)
                return None if held is None else _scan(held, windows, queries, bits, slots, limit)
            except Exception as error:  # the driver's errors and the compiler's have no common base
                self._refuse(windows, error)
                return None

    def _followed(self, windows: Windows) -> list[ResidentSegment | None] | None:
        """Bring what the card holds up to date; return it by segment, None while it is being copied."""
        if windows.segments[0].source in (self._refused, *self._past):
            return None
        if sum(self._missing(segment) for segment in windows.segments) > AT_ONCE_WINDOWS:
            self._copy(windows)
            return None
        held: list[ResidentSegment | None] = []
        for segment in windows.segments:
            resident = self._held.get(segment.source)
            if not segment.windows:
                resident = None
            elif resident is None:
                resident = self._held[segment.source] = ResidentSegment(segment)
            else:
                resident.follow(segment)
            held.append(resident)
        return held

    def _missing(self, segment: Segment) -> int:
        resident = self._held.get(segment.source)
        return segment.windows - (0 if resident is None else resident.windows)

    def _copy(self, windows: Windows) -> None:
        """Begin to copy windows to the card, unless that is being done."""
        if self._copying is None or not self._copying.is_alive():
            self._copying = threading.Thread(
                target=self._replace, args=(windows,), name="gpu-copy", daemon=True
            )
            self._copying.start()

    def _replace(self, windows: Windows) -> None:
        """Copy windows to the card, and drop what it held before: before that, where there is no room."""
        try:
            try:
                held = _copied(windows)
            except NoRoomError:
                with self._using:
                    self._drop(windows)
                held = _copied(windows)
            with self._using:
                self._drop(windows)
                self._held = held
            _log.info("%s holds %d windows and scans.", kernels.card_name(), self.gpu_windows())
        except Exception as error:  # as above
            with self._using:
                self._refuse(windows, error)

    def _drop(self, current: Windows) -> None:
        """Let go of what the card holds; searches still on what is not current are left to the processor."""
        sources = {segment.source for segment in current.segments}
        self._past.extend(source for source in self._held if source not in sources)
        self._held = {}

    def _refuse(self, windows: Windows, error: Exception) -> None:
        self._drop(windows)
        self._refused = windows.segments[0].source
        reason = str(error) if isinstance(error, NoRoomError) else type(error).__name__
        _log.error("The GPU cannot scan (%s): the processor does, with the same answers.", reason)


def _copied(windows: Windows) -> dict[object, ResidentSegment]:
    return {each.source: ResidentSegment(each) for each in windows.segments if each.windows}


def _scan(
    held: Sequence[ResidentSegment | None],
    windows: Windows,
    queries: QueryCodes,
    bits: Bits,
    slots: Slots | None,
    limit_of: _Limit,
) -> tuple[Slots, Sums]:
    """Return the frames, ascending, and sums, up to a limit that follows from the histogram of all sums."""
    largest = largest_sum(queries, bits)
    histogram = kernels.to_device(np.zeros(largest + 1, np.int64))
    for resident, segment, asked in zip(held, windows.segments, _asked(windows, slots), strict=True):
        if resident is not None:
            resident.begin(len(segment), asked)
            _add_minima(resident, len(segment), queries, bits)
            resident.count(len(segment), histogram)
    counted = histogram.copy_to_host()
    limit = min(limit_of(counted), largest)
    total = int(counted[: limit + 1].sum()) if limit >= 0 else 0
    if not total:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    length = kernels.to_device(np.zeros(1, np.int64))
    found, sums = kernels.device_array(total, np.int64), kernels.device_array(total, np.int64)
    first = 0
    for resident, segment in zip(held, windows.segments, strict=True):
        if resident is not None:
            resident.collect(len(segment), first, limit, length, found, sums)
        first += len(segment)
    slots, sums = found.copy_to_host(), sums.copy_to_host()
    order = np.argsort(slots)
    return slots[order], sums[order]


def _asked(windows: Windows, slots: Slots | None) -> list[NDArray[np.int64] | None]:
    """Return the frames that are asked for in each segment, None for all of it."""
    if slots is None:
        return [None] * len(windows.segments)
    return [frames for _, _, frames in windows.split(slots)]


def _add_minima(resident: ResidentSegment, frames: int, queries: QueryCodes, bits: Bits) -> None:
    weighted, words = isinstance(queries, WeightedCodes), bits // 32
    asked = asked_of(queries)
    for first in range(0, len(asked), kernels.MOST_QUERIES):
        some: Any = asked[first : first + kernels.MOST_QUERIES]
        kernel = kernels.add_minima(len(some), words, weighted)
        kernel[min(frames, _FRAME_BLOCKS), FRAME_THREADS](
            resident.codes, resident.offsets, kernels.to_device(some), frames, resident.sums
        )


def asked_of(queries: QueryCodes) -> NDArray[np.uint8] | NDArray[np.uint32]:
    """Return query codes as the kernels take them: words (Q, 4), or tables of nibbles (Q, 512).

    The table of a weighted code holds the distance of each of sixteen values of each of its 32 nibbles, the
    lower of a byte first.
    """
    if isinstance(queries, WeightedCodes):
        return np.ascontiguousarray(queries.by_plane).reshape(len(queries), -1)
    return np.ascontiguousarray(queries).view("<u4")
