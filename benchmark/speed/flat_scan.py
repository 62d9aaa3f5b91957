"""Region search by FAISS's exhaustive binary index: a peer of the window scan."""

from __future__ import annotations

from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from hmar.values.codes import CodeArray

# Its stubs describe the C++ constructors, not the Python ones that wrap them.
faiss: Any = _faiss

_FIRST_ASK = 8
"""Over-fetch factor, in windows per frame: neighbouring windows of one frame have similar distances."""

_SUMMED_FRAMES = 1 << 13


class FlatScan:
    """faiss.IndexBinaryFlat over the windows of many frames, with the grouping by frame that it lacks.

    One thread.

    Parameters
    ----------
    bits : int
        Length of the codes.
    offsets : ndarray of int64, shape (F + 1,)
        Where the windows of each frame begin, and where the last frame's end.
    """

    def __init__(self, bits: int, offsets: NDArray[np.int64]) -> None:
        self._offsets = offsets
        windows = int(offsets[-1])
        self._index = faiss.IndexBinaryFlat(bits)
        # Allocated at once: growing would take three times the memory for a while.
        self._index.xb.resize(windows * bits // 8)
        self._index.ntotal = windows
        size = windows * bits // 8
        held = faiss.rev_swig_ptr(self._index.xb.data(), size) if size else np.empty(0, np.uint8)
        self.codes: CodeArray = held.reshape(windows, bits // 8)
        """The codes searched, shape (W, bits / 8), to be filled in; valid as long as this object."""

    def nearest_windows(self, codes: CodeArray, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (distances, rows), shape (n, k), of the k windows nearest to each code; ties are cut at k.

        Parameters
        ----------
        codes : ndarray of uint8, shape (n, bits / 8)
        k : int
            No more than there are windows.
        """
        faiss.omp_set_num_threads(1)
        distances, rows = self._index.search(np.ascontiguousarray(codes), k)
        return distances.astype(np.int64), rows

    def nearest_frames(self, code: CodeArray, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (distances, frames) of every frame that is not farther than the k-th nearest.

        A frame's distance is that of its nearest window. FAISS knows windows only, so more and more of them
        are fetched until k frames are among them; if windows at the distance of the last one may be missing,
        everything within that distance is fetched.

        Parameters
        ----------
        code : ndarray of uint8, shape (bits / 8,)
        k : int
            From 1.

        Returns
        -------
        tuple of ndarray of int64, shape (F,) each
            By distance, then frame; F is at least k unless there are fewer frames.
        """
        asked = min(_FIRST_ASK * k, len(self.codes))
        while True:
            distances, rows = (found[0] for found in self.nearest_windows(code[None], asked))
            minima, frames = self._grouped(distances, rows)
            everything = asked == len(self.codes)
            if everything or len(frames) >= k:
                break
            asked = min(4 * asked, len(self.codes))
        reach = int(minima[min(k, len(minima)) - 1])
        if not everything and reach == distances[-1]:
            minima, frames = self._grouped(*self._within(code, reach))
        near = minima <= reach
        return minima[near], frames[near]

    def frame_sums(self, codes: CodeArray) -> NDArray[np.int64]:
        """Return, for each frame, the sum over some codes of the distance to its nearest window.

        FAISS has no such answer: this is plain numpy over the codes that FAISS holds.

        Parameters
        ----------
        codes : ndarray of uint8, shape (Q, bits / 8)

        Returns
        -------
        ndarray of int64, shape (F,)
            Every frame must have windows.
        """
        words = self.codes.view(np.uint64)
        sums = np.zeros(len(self._offsets) - 1, np.int64)
        for first in range(0, len(sums), _SUMMED_FRAMES):
            bounds = self._offsets[first : first + _SUMMED_FRAMES + 1]
            part = words[bounds[0] : bounds[-1]]
            for code in np.ascontiguousarray(codes).view(np.uint64):
                distances = np.bitwise_count(part ^ code).sum(axis=1, dtype=np.uint8)
                sums[first : first + len(bounds) - 1] += np.minimum.reduceat(
                    distances, bounds[:-1] - bounds[0]
                )
        return sums

    def _within(self, code: CodeArray, distance: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        _, distances, rows = self._index.range_search(code[None], distance + 1)
        return distances.astype(np.int64), rows

    def _grouped(
        self, distances: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return each frame's smallest distance, ordered by distance, then frame."""
        frames = np.searchsorted(self._offsets, rows, side="right") - 1
        order = np.lexsort((frames, distances))
        _, first = np.unique(frames[order], return_index=True)
        chosen = order[np.sort(first)]
        return distances[chosen], frames[chosen]
