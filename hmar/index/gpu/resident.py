"""The windows of one segment in the memory of a card, which follow the segment as it grows.

Searches on an earlier state of the segment look at its first frames alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.index.gpu import kernels
from hmar.index.growing import grown
from hmar.index.windows import Segment
from hmar.values.codes import CODE_BYTES

PIECE_WINDOWS = 1 << 22
"""Windows that are copied at a time: 64 MiB."""
RESERVE_BYTES = 256 << 20
"""What is left free for the driver, for sums, and for pieces on their way."""
_THREADS, _MOST_BLOCKS = 256, 1 << 16


class NoRoomError(Exception):
    """The card has too little memory; its text says how much is needed and how much is free."""


class ResidentSegment:
    """A segment's codes on the card, as words, with where each frame begins. Not thread-safe.

    Parameters
    ----------
    segment : Segment
        With windows. What is copied at once.

    Raises
    ------
    NoRoomError
        If the card has not enough free memory; also of :meth:`follow`.
    """

    def __init__(self, segment: Segment) -> None:
        self.codes: Any = None
        self.frames = self.windows = 0
        self._capacity = self._frame_capacity = 0
        self.follow(segment)

    def follow(self, segment: Segment) -> None:
        """Copy what a later state of the same segment has more."""
        if segment.windows > self._capacity:
            self._make_room(segment.windows)
        for first in range(self.windows, segment.windows, PIECE_WINDOWS):
            last = min(first + PIECE_WINDOWS, segment.windows)
            piece = kernels.to_device(segment.codes[:, first:last])
            kernels.pack[blocks(last - first), _THREADS](piece, self.codes, first)
        self.windows = segment.windows
        if len(segment) > self.frames:
            self._copy_frames(segment)

    def _make_room(self, windows: int) -> None:
        # A base never grows and gets no spare room; what has grown once will again.
        capacity = grown(self._capacity, windows) if self.windows else windows
        self.codes = None
        self.windows = self._capacity = 0
        check_room(capacity * CODE_BYTES)
        self.codes = kernels.device_array((kernels.WORDS, capacity), np.uint32)
        self._capacity = capacity

    def _copy_frames(self, segment: Segment) -> None:
        frames = len(segment)
        if frames > self._frame_capacity:
            capacity = grown(self._frame_capacity, frames) if self.frames else frames
            self.sums = kernels.device_array(capacity, np.int32)
            self._frame_capacity = capacity
        self.offsets = kernels.to_device(segment.offsets)
        self._every = kernels.to_device(np.ones(frames, np.uint8))
        self.frames = frames

    def begin(self, frames: int, asked: NDArray[np.int64] | None) -> None:
        """Set the sums of the first ``frames`` to 0, or of those asked for, and leave out the others."""
        if asked is None:
            mask = self._every
        else:
            of_frames = np.zeros(frames, np.uint8)
            of_frames[asked] = 1
            mask = kernels.to_device(of_frames)
        kernels.begin[blocks(frames), _THREADS](self.offsets, mask, frames, self.sums)

    def count(self, frames: int, histogram: Any) -> None:
        """Add how many of the first frames there are of each sum."""
        kernels.count[blocks(frames), _THREADS](self.sums, frames, histogram)

    def collect(self, frames: int, first: int, limit: int, length: Any, slots: Any, found: Any) -> None:
        """Append frames whose sum is at most ``limit``; see :func:`hmar.index.gpu.kernels.collect`."""
        kernels.collect[blocks(frames), _THREADS](self.sums, frames, first, limit, length, slots, found)

    def all_sums(self, frames: int) -> NDArray[np.int32]:
        """Return the sums of the first frames, LEFT_OUT for those that are not asked for."""
        sums: NDArray[np.int32] = self.sums[:frames].copy_to_host()
        return sums


def blocks(items: int) -> int:
    """Return how many blocks of threads look at so many items; a block looks at several where many."""
    return max(1, min(_MOST_BLOCKS, -(-items // _THREADS)))


def check_room(needed_bytes: int) -> None:
    """Raise NoRoomError where the card has not so much free memory, with a reserve."""
    free = kernels.free_bytes()
    if needed_bytes + RESERVE_BYTES > free:
        raise NoRoomError(
            f"{needed_bytes / 1e9:.1f} GB of codes are needed and {free / 1e9:.1f} GB of its memory are free"
        )
