"""The window matrix: the codes of all windows of all frames, those of one frame side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hmar.index.growing import GrowingArray
from hmar.index.hamming import (
    CHUNK_WINDOWS,
    WORD,
    Slots,
    Words,
    chunks,
    code_words,
    frame_minima,
    row_distances,
)
from hmar.types import Bits, CodeArray, WindowIds


class WindowMatrix:
    """Window codes in two planes of 64-bit words, and where each frame's begin.

    Frames are numbered from 0 in order of arrival: a *slot*. A frame may have no windows. Window ids are
    kept as they come and mean nothing here.

    Parameters
    ----------
    first, second : ndarray of uint64, shape (W,)
        First and second word of each window's code.
    window_ids : ndarray of uint32, shape (W,)
        Which window of its frame each row is.
    counts : ndarray of int64, shape (F,)
        Windows of each frame.
    """

    def __init__(self, first: Words, second: Words, window_ids: WindowIds, counts: NDArray[np.int64]) -> None:
        self._planes = (GrowingArray(first), GrowingArray(second))
        self._ids = GrowingArray(window_ids)
        self._counts = GrowingArray(counts)
        self._starts = GrowingArray(np.cumsum(counts) - counts)

    @classmethod
    def empty(cls) -> WindowMatrix:
        """Return a matrix of no frames."""
        return cls(np.empty(0, WORD), np.empty(0, WORD), np.empty(0, "<u4"), np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Windows of each frame."""
        return self._counts.values

    @property
    def planes(self) -> tuple[Words, Words]:
        """First and second word of every window's code, shape (W,) each."""
        return self._planes[0].values, self._planes[1].values

    @property
    def window_ids(self) -> WindowIds:
        """Id of every window, shape (W,)."""
        return self._ids.values

    def append(self, codes: CodeArray, window_ids: WindowIds) -> None:
        """Add a frame; ``codes`` has shape (windows, 16)."""
        words = code_words(codes)
        self._starts.extend(np.array([len(self._ids)]))
        self._counts.extend(np.array([len(words)]))
        self._ids.extend(window_ids)
        for plane, column in zip(self._planes, words.T, strict=True):
            plane.extend(column)

    def minima(self, query: Words, bits: Bits) -> NDArray[np.uint8]:
        """Find the distance from one code to each frame's nearest window; see :func:`frame_minima`."""
        return frame_minima(self.planes, self.counts, query, bits)

    def minima_of(self, slots: Slots, query: Words, bits: Bits) -> NDArray[np.uint8]:
        """Find the same for the frames in ``slots`` alone, shape (len(slots),)."""
        counts = self.counts[slots]
        minima = [np.empty(0, np.uint8)]
        for part in chunks(np.cumsum(counts), CHUNK_WINDOWS):
            rows = self._rows(slots[part])
            gathered = [plane[rows] for plane in self.planes]
            minima.append(frame_minima(gathered, counts[part], query, bits))
        return np.concatenate(minima)

    def nearest(self, slot: int, query: Words, bits: Bits) -> int:
        """Return the id of a frame's window nearest to a code; ties go to 128 bits, then to the first."""
        start = int(self._starts.values[slot])
        rows = slice(start, start + int(self.counts[slot]))
        planes = [plane[rows] for plane in self.planes]
        short = row_distances(planes, query, bits).astype(np.int64)
        order = short * 256 + row_distances(planes, query, 128)
        return int(self.window_ids[rows][int(np.argmin(order))])

    def kept(self, slots: Slots) -> WindowMatrix:
        """Return a matrix of the frames in ``slots`` alone, in that order."""
        rows = self._rows(slots)
        first, second = self.planes
        return WindowMatrix(first[rows], second[rows], self.window_ids[rows], self.counts[slots])

    def _rows(self, slots: Slots) -> NDArray[np.int64]:
        """Return the rows of the windows of some frames, one frame after the other."""
        counts = self.counts[slots]
        before = np.cumsum(counts) - counts
        return np.repeat(self._starts.values[slots] - before, counts) + np.arange(counts.sum())
