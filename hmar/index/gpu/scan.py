"""One query on a card: the sums of all frames, the cut-off that follows, and the frames within it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.index.gpu import kernels
from hmar.index.gpu.resident import ResidentSegment
from hmar.index.hamming import Slots
from hmar.index.scan import Sums
from hmar.index.weighted import QueryCodes, WeightedCodes, largest_sum
from hmar.index.windows import Windows
from hmar.values.codes import Bits

FRAME_THREADS = 64
"""Threads that share a frame: the 650 to 770 windows of a 512 x 512 body CT take 11 or 12 rounds."""
MANY_FRAMES = 1 << 14
"""So many found are picked out of the sums of all frames: that takes less than to sort them."""
_FRAME_BLOCKS = 1 << 16

Limit = Callable[[NDArray[np.int64]], int]


def scan(
    held: Sequence[ResidentSegment | None],
    windows: Windows,
    queries: QueryCodes,
    bits: Bits,
    slots: Slots | None,
    limit_of: Limit,
) -> tuple[Slots, Sums]:
    """Return the frames near to a query, ascending, and their sums.

    Parameters
    ----------
    held : sequence of ResidentSegment or None
        What the card holds of each segment of ``windows``; None for one without windows.
    windows : Windows
    queries : ndarray of uint8, shape (Q, 16), or WeightedCodes
    bits : int
        64 or 128.
    slots : ndarray of int64 or None
        The frames asked for, ascending; None for all.
    limit_of : callable
        Given how many frames there are of each sum, returns the largest sum that counts.

    Returns
    -------
    tuple of ndarray of int64, shape (n,) each
        Slots, ascending, and sums.
    """
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
    if total > MANY_FRAMES:
        return _picked(held, windows, limit)
    return _collected(held, windows, limit, total)


def _collected(
    held: Sequence[ResidentSegment | None], windows: Windows, limit: int, total: int
) -> tuple[Slots, Sums]:
    """Return the ``total`` frames within a limit, which the card finds."""
    if not total:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    length = kernels.to_device(np.zeros(1, np.int64))
    found, sums = kernels.device_array(total, np.int64), kernels.device_array(total, np.int64)
    first = 0
    for resident, segment in zip(held, windows.segments, strict=True):
        if resident is not None:
            resident.collect(len(segment), first, limit, length, found, sums)
        first += len(segment)
    slots = found.copy_to_host()
    order = np.argsort(slots)
    return slots[order], sums.copy_to_host()[order]


def _picked(held: Sequence[ResidentSegment | None], windows: Windows, limit: int) -> tuple[Slots, Sums]:
    """Return the frames within a limit, found among all on this side."""
    sums = np.concatenate(
        [
            np.full(len(segment), kernels.LEFT_OUT, np.int32)
            if resident is None
            else resident.all_sums(len(segment))
            for resident, segment in zip(held, windows.segments, strict=True)
        ]
    )
    slots = np.flatnonzero((sums >= 0) & (sums <= limit))
    return slots, sums[slots].astype(np.int64)


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
