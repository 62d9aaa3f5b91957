"""Hamming distances of global codes, each held as two 64-bit words.

Words are little-endian wherever they are stored, so that a snapshot means the same on every machine; the
order of bytes within a word does not change a distance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hmar.values.codes import Bits, CodeArray

Words = NDArray[np.uint64]
Slots = NDArray[np.int64]
WORD = np.dtype("<u8")


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
