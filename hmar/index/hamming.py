"""The scan kernels: Hamming distances over planes of 64-bit words, and the minimum of each frame.

A 128-bit code is two words, and each word has its plane: one array over all rows. 64-bit distances read the
first plane only. Words are little-endian wherever they are stored, so that a snapshot means the same on
every machine; the order of bytes within a word does not change a distance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hmar.types import Bits, CodeArray

Words = NDArray[np.uint64]
Slots = NDArray[np.int64]
WORD = np.dtype("<u8")
NO_WINDOWS = 255
"""Stands for the minimum of a frame without windows; larger than any distance."""

CHUNK_WINDOWS = 1 << 17
"""Windows compared at a time: 9 bytes of temporary memory each, which stays in the processor's cache."""


def code_words(codes: CodeArray) -> Words:
    """View packed codes, shape (..., 16), as words, shape (..., 2)."""
    return np.ascontiguousarray(codes).view(WORD)


def row_distances(planes: Sequence[Words], query: Words, bits: Bits) -> NDArray[np.uint8]:
    """Compare every row with one code.

    Parameters
    ----------
    planes : sequence of ndarray of uint64, shape (n,)
        First and second word of each row's code.
    query : ndarray of uint64, shape (2,)
        The code compared.
    bits : int
        64 or 128.

    Returns
    -------
    ndarray of uint8, shape (n,)
        Differing bits, 0 to ``bits``.
    """
    distances: NDArray[np.uint8] = np.bitwise_count(planes[0] ^ query[0])
    if bits == 128:
        distances += np.bitwise_count(planes[1] ^ query[1])
    return distances


def frame_minima(
    planes: Sequence[Words], counts: NDArray[np.int64], query: Words, bits: Bits
) -> NDArray[np.uint8]:
    """Find the distance from a code to the nearest window of each frame, in one sequential pass.

    Parameters
    ----------
    planes : sequence of ndarray of uint64, shape (W,)
        Words of all windows, those of one frame side by side.
    counts : ndarray of int64, shape (F,)
        Windows of each frame; their sum is W.
    query : ndarray of uint64, shape (2,)
        The code compared.
    bits : int
        64 or 128.

    Returns
    -------
    ndarray of uint8, shape (F,)
        The minimum, or ``NO_WINDOWS``.
    """
    minima = np.full(len(counts), NO_WINDOWS, np.uint8)
    # reduceat gives nonsense for an empty segment, so that frames without windows take no part.
    occupied = np.flatnonzero(counts)
    ends = np.cumsum(counts[occupied])
    starts = ends - counts[occupied]
    for part in chunks(ends, CHUNK_WINDOWS):
        rows = slice(starts[part.start], ends[part.stop - 1])
        distances = row_distances([plane[rows] for plane in planes], query, bits)
        minima[occupied[part]] = np.minimum.reduceat(distances, starts[part] - rows.start)
    return minima


def chunks(ends: NDArray[np.int64], size: int) -> Iterator[slice]:
    """Cut frames, given by where their windows end, into runs of at most ``size`` windows or one frame."""
    first = 0
    while first < len(ends):
        begin = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, begin + size, side="right")), first + 1)
        yield slice(first, last)
        first = last
