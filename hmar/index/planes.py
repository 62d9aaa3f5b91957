"""Codes as byte planes: plane p holds byte p of every code.

A scan compares one code with very many. On planes it compares 32 codes at a time on any processor, its sums
fit in bytes, and it can stop early: the distance over the first planes is a lower bound of the whole one.
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
WAY = 4096
"""Bytes of the L1 cache that lie apart: lines at multiples of it share a set, which holds eight or twelve."""


def padded(codes: int) -> int:
    """Return the width of planes for a number of codes; the padding bytes have no meaning.

    It is no multiple of ``WAY``: the sixteen bytes of a code would share a set, and a scan take 1.6 times as
    long.
    """
    width = max(LINE, -(-codes // LINE) * LINE)
    return width if width % WAY else width + LINE


def to_planes(codes: CodeArray) -> Planes:
    """Transpose codes, shape (n, 16), to planes, shape (16, padded(n))."""
    planes = np.zeros((CODE_BYTES, padded(len(codes))), np.uint8)
    planes[:, : len(codes)] = codes.T
    return planes


def to_codes(planes: Planes, columns: slice | NDArray[np.int64]) -> CodeArray:
    """Return some codes, shape (n, 16)."""
    return np.ascontiguousarray(planes[:, columns].T)


class GrowingPlanes:
    """Codes appended at amortised constant cost, as planes; codes that were handed out never change.

    New codes may appear behind those that a reader of the planes knows of.
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
        """Append codes given as planes, shape (16, n); raises ValueError for any other."""
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
