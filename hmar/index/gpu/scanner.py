"""The region scan on a graphics card, beside the processor that does what the card does not.

Codes are copied to the card once for each snapshot, in a thread of its own; meanwhile the processor scans.
What comes after the snapshot follows before the next search. Whatever fails on the card is said once in the
log, and the processor scans until there is another snapshot: a search is slower then, and never wrong.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from hmar.index.gpu import kernels
from hmar.index.gpu.resident import NoRoomError, ResidentSegment
from hmar.index.gpu.scan import Limit, scan
from hmar.index.hamming import Slots
from hmar.index.scan import Scanner, Sums
from hmar.index.weighted import QueryCodes, largest_sum
from hmar.index.windows import Segment, Windows
from hmar.values.codes import CODE_BYTES, Bits

FEW_FRAMES = 1024
"""Of so few frames the processor knows the sums before a card would have been asked."""
AT_ONCE_WINDOWS = 1 << 22
"""Windows that a search waits for: 64 MiB. More are copied while the processor scans."""
_PAST_KEPT = 16

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

    @property
    def processor(self) -> Scanner:
        """The processor's scan: the card keeps no copy of what it scans."""
        return self._processor

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
        self, windows: Windows, queries: QueryCodes, bits: Bits, slots: Slots | None, limit: Limit
    ) -> tuple[Slots, Sums] | None:
        """Scan on the card; return None where the processor has to."""
        if not windows.windows or (slots is not None and len(slots) < self._few_frames):
            return None
        with self._using:
            try:
                held = self._followed(windows)
                return None if held is None else scan(held, windows, queries, bits, slots, limit)
            except Exception as error:  # the driver's errors and the compiler's have no common base
                self._refuse(windows, error)
                return None

    def _followed(self, windows: Windows) -> list[ResidentSegment | None] | None:
        """Bring what the card holds up to date; return it by segment, None while it is being copied."""
        left_out = (self._refused, *self._past)
        if any(segment.source in left_out for segment in windows.segments):
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
                self._keep(windows)
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
        """Copy windows to the card, then drop what it held before; before that, where there is no room.

        The kernels of a region query are compiled here, and run once before a search depends on them.
        """
        try:
            held = _copied_if_room(windows)
            if held is None:
                with self._using:
                    self._drop(windows)
                held = _copied(windows)
            _tried(held, windows)
            with self._using:
                self._drop(windows)
                self._held = held
            _log.info("%s holds %d windows and scans.", kernels.card_name(), self.gpu_windows())
        except Exception as error:  # as above
            with self._using:
                self._refuse(windows, error)

    def _keep(self, current: Windows) -> None:
        """Let go of what is not current; searches still on that are left to the processor."""
        sources = {segment.source for segment in current.segments}
        self._past.extend(source for source in self._held if source not in sources)
        self._held = {source: held for source, held in self._held.items() if source in sources}

    def _drop(self, current: Windows) -> None:
        """Let go of all that the card holds, for what is current comes anew."""
        self._keep(current)
        self._held = {}

    def _refuse(self, windows: Windows, error: Exception) -> None:
        self._drop(windows)
        self._refused = windows.segments[0].source
        reason = str(error) if isinstance(error, NoRoomError) else type(error).__name__
        _log.error("The GPU cannot scan (%s): the processor does, with the same answers.", reason)


def _copied(windows: Windows) -> dict[object, ResidentSegment]:
    return {each.source: ResidentSegment(each) for each in windows.segments if each.windows}


def _copied_if_room(windows: Windows) -> dict[object, ResidentSegment] | None:
    """Copy windows; return None where the card has no room, and nothing of them is left there."""
    try:
        return _copied(windows)
    except NoRoomError:
        return None


def _tried(held: dict[object, ResidentSegment], windows: Windows) -> None:
    in_order = [held.get(segment.source) for segment in windows.segments]
    region = np.zeros((kernels.MOST_QUERIES, CODE_BYTES), np.uint8)
    for bits in get_args(Bits):
        scan(in_order, windows, region, bits, None, lambda histogram: int(np.argmax(histogram > 0)))
