"""Nearest global codes, by FAISS: the only file that knows it."""

from __future__ import annotations

from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from hmar.values.codes import Bits, CodeArray

# Its stubs describe the C++ constructors, not the Python ones that wrap them.
faiss: Any = _faiss

_LENGTHS: tuple[Bits, ...] = (64, 128)


class FlatIndex:
    """Two exhaustive binary indexes over the same codes: of the first 64 bits, and of all 128. Immutable.

    FAISS drops ties beyond k, so it is asked twice: for the distance of the k-th nearest, then for every code
    within that distance. Sorting is left to the caller.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n, 16)
        Packed codes; copied.
    """

    def __init__(self, codes: CodeArray) -> None:
        self._by_bits: dict[Bits, Any] = {bits: faiss.IndexBinaryFlat(bits) for bits in _LENGTHS}
        for bits, index in self._by_bits.items():
            index.add(np.ascontiguousarray(codes[:, : bits // 8]))

    def __len__(self) -> int:
        return int(self._by_bits[128].ntotal)

    def candidates(self, code: CodeArray, k: int, bits: Bits) -> NDArray[np.int64]:
        """Return, in no order, the position of every code that is not farther than the k-th nearest.

        Parameters
        ----------
        code : ndarray of uint8, shape (16,)
            The code compared.
        k : int
            From 1.
        bits : int
            64 or 128.
        """
        if not len(self):
            return np.empty(0, np.int64)
        # One query is one memory-bound pass: a second thread gains nothing, and delays the first where the
        # other cores are busy. The setting holds for the calling thread alone.
        faiss.omp_set_num_threads(1)
        index, query = self._by_bits[bits], code[None, : bits // 8]
        distances, _ = index.search(query, min(k, len(self)))
        _, _, found = index.range_search(query, int(distances.max()) + 1)
        return np.asarray(found, np.int64)
