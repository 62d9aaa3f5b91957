"""Region search by FAISS's exhaustive binary index: a peer of the window scan."""

from __future__ import annotations

from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from hmar.types import CodeArray

# Its stubs describe the C++ constructors, not the Python ones that wrap them.
faiss: Any = _faiss

_FIRST_ASK = 8
"""Windows asked for at first, for each frame wanted: neighbouring windows of one frame come together."""


class FlatScan:
    """faiss.IndexBinaryFlat over the windows of many frames, with the grouping by frame that it lacks.

    One thread, as the product scans.

    Parameters
    ----------
    codes : ndarray of uint8, shape (W, bits / 8)
        Packed codes of all windows.
    frames : ndarray of int64, shape (W,)
        The frame of each window.
    """

    def __init__(self, codes: CodeArray, frames: NDArray[np.int64]) -> None:
        self._frames = frames
        self._index = faiss.IndexBinaryFlat(8 * codes.shape[1])
        self._index.add(np.ascontiguousarray(codes))

    def nearest_windows(self, code: CodeArray, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (distances, rows) of the k nearest windows, nearest first; ties are cut at k.

        Parameters
        ----------
        code : ndarray of uint8, shape (bits / 8,)
        k : int
            No more than there are windows.
        """
        faiss.omp_set_num_threads(1)
        distances, rows = self._index.search(code[None], k)
        return distances[0].astype(np.int64), rows[0]

    def nearest_frames(self, code: CodeArray, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (distances, frames) of every frame that is not farther than the k-th nearest.

        A frame's distance is that of its nearest window. FAISS knows windows alone, so that it is asked for
        more of them until k frames are among them; if the last window returned may hide others of the same
        distance, everything within that distance is fetched.

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
        asked = min(_FIRST_ASK * k, self._index.ntotal)
        while True:
            distances, rows = self.nearest_windows(code, asked)
            minima, frames = self._grouped(distances, rows)
            everything = asked == self._index.ntotal
            if everything or len(frames) >= k:
                break
            asked = min(4 * asked, self._index.ntotal)
        reach = int(minima[min(k, len(minima)) - 1])
        if not everything and reach == distances[-1]:
            minima, frames = self._grouped(*self._within(code, reach))
        near = minima <= reach
        return minima[near], frames[near]

    def _within(self, code: CodeArray, distance: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        _, distances, rows = self._index.range_search(code[None], distance + 1)
        return distances.astype(np.int64), rows

    def _grouped(
        self, distances: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return each frame's smallest distance, ordered by distance, then frame."""
        frames = self._frames[rows]
        order = np.lexsort((frames, distances))
        _, first = np.unique(frames[order], return_index=True)
        chosen = order[np.sort(first)]
        return distances[chosen], frames[chosen]
