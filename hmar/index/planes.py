"""Codes laid on their side: one plane of bytes for each of the sixteen bytes of a code.

A scan compares one code with very many. On planes it takes 32 codes at a time whatever the machine's vectors
are, its sums are bytes, and it may stop after as many planes as it takes to tell that nothing is near: the
distance over the first planes is never more than that over all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hmar.index.growing import grown
from hmar.values.codes import CODE_BYTES, CodeArray

Planes = NDArray[np.uint8]
"""Shape (16, columns), each row contiguous: byte p of code c is ``planes[p, c]``."""

LINE = 64
"""Planes are a multiple of this many bytes wide: a cache line, the least that a scan looks at."""


def padded(codes: int) -> int:
    """Return the width of planes that hold so many codes; the bytes beyond them mean nothing."""
    return max(LINE, -(-codes // LINE) * LINE)


def to_planes(codes: CodeArray) -> Planes:
    """Lay codes, shape (n, 16), on their side, shape (16, padded(n))."""
    planes = np.zeros((CODE_BYTES, padded(len(codes))), np.uint8)
    planes[:, : len(codes)] = codes.T
    return planes


def to_codes(planes: Planes, columns: slice | NDArray[np.int64]) -> CodeArray:
    """Return some codes, shape (n, 16)."""
    return np.ascontiguousarray(planes[:, columns].T)


class GrowingPlanes:
    """Codes that are appended at amortised constant cost; what has been handed out never changes.

    Codes beyond those that a reader knows of may appear in the planes handed out to it.
    """

    def __init__(self) -> None:
        self._buffer = to_planes(np.empty((0, CODE_BYTES), np.uint8))
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def planes(self) -> Planes:
        """The planes as they are now, shape (16, at least padded(len))."""
        return self._buffer

    def extend(self, planes: Planes) -> None:
        """Append codes that lie on their side, shape (16, n); raises ValueError for any other."""
        if planes.shape[0] != CODE_BYTES:
            raise ValueError(f"expected codes of {CODE_BYTES} bytes, got {planes.shape[0]}")
        needed = self._length + planes.shape[1]
        if needed > self._buffer.shape[1]:
            larger = np.empty((CODE_BYTES, padded(grown(self._buffer.shape[1], needed))), np.uint8)
            larger[:, : self._length] = self._buffer[:, : self._length]
            self._buffer = larger
        self._buffer[:, self._length : needed] = planes
        self._length = needed


def query_bytes(codes: CodeArray) -> CodeArray:
    """Return query codes as the kernels take them: contiguous, shape (Q, 16)."""
    return np.ascontiguousarray(codes, np.uint8).reshape(-1, CODE_BYTES)
