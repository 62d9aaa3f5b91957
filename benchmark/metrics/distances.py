"""Distances of descriptors: bits that differ, or one minus the cosine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmark.types import Descriptors
from hmar.errors import ParameterError

_WORD = 8

DistanceArray = NDArray[np.int16] | NDArray[np.float32]
"""Integer Hamming distances, or float cosine distances."""


def distances(query: Descriptors, gallery: Descriptors) -> DistanceArray:
    """Compare every query with every gallery item.

    Parameters
    ----------
    query, gallery : ndarray, shapes (Q, W) and (G, W)
        Both packed codes (uint8, W bytes) or both floats (float32, W values, finite).

    Returns
    -------
    ndarray, shape (Q, G)
        Smaller is nearer. Codes: int16, the number of bits that differ, 0 to 8 W. Floats: float32, one minus
        the cosine, 0 to 2; a descriptor of zero length is 1 from everything. Gallery items that are equal
        have equal distances, to the last bit.

    Raises
    ------
    ParameterError
        If the two are not of one kind and width, or floats are not finite.
    """
    return comparer(gallery)(query)


def comparer(gallery: Descriptors) -> Callable[[Descriptors], DistanceArray]:
    """Prepare a gallery once, and return what compares queries with it; see :func:`distances`."""
    compare = _hamming(gallery) if gallery.dtype == np.uint8 else _cosine(gallery)

    def checked(query: Descriptors) -> DistanceArray:
        if query.dtype != gallery.dtype or query.ndim != 2 or query.shape[1:] != gallery.shape[1:]:
            raise ParameterError(
                f"Queries are {query.dtype} {query.shape}, the gallery is {gallery.dtype} {gallery.shape}.",
                "Describe both with the same peer: packed uint8 codes, or float32 vectors.",
            )
        return compare(query)

    return checked


def _hamming(gallery: Descriptors) -> Callable[[Descriptors], NDArray[np.int16]]:
    # Counting the bits of 64-bit words takes a seventh of the time of a float32 product of signs.
    words = np.ascontiguousarray(_words(gallery).T)

    def compare(query: Descriptors) -> NDArray[np.int16]:
        total = np.zeros((len(query), len(gallery)), np.int16)
        for row, code in zip(total, _words(query), strict=True):
            for mine, theirs in zip(code, words, strict=True):
                row += np.bitwise_count(theirs ^ mine)
        return total

    return compare


def _words(codes: Descriptors) -> NDArray[np.uint64]:
    """View packed codes as 64-bit words, (N, words); codes of odd lengths are padded with zero bits."""
    padding = -codes.shape[1] % _WORD
    words: NDArray[np.uint64] = np.ascontiguousarray(np.pad(codes, ((0, 0), (0, padding)))).view(np.uint64)
    return words


def _cosine(gallery: Descriptors) -> Callable[[Descriptors], NDArray[np.float32]]:
    # A matrix product may round equal columns differently; comparing each distinct row once keeps ties exact.
    distinct, where = _distinct(_unit(gallery))

    def compare(query: Descriptors) -> NDArray[np.float32]:
        apart = np.asarray(np.clip(1 - _unit(query) @ distinct.T, 0, 2), np.float32)
        return apart if where is None else apart[:, where]

    return compare


def _unit(vectors: Descriptors) -> NDArray[np.float32]:
    values = np.asarray(vectors, np.float32)
    if not np.isfinite(values).all():
        raise ParameterError(
            "Descriptors hold values that are not finite.", "Check the peer that described the images."
        )
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(length > 0, length, 1), np.float32)


def _distinct(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """Return the distinct rows and which of them each row is; None where all are distinct."""
    seen: dict[bytes, int] = {}
    where = np.array([seen.setdefault(row.tobytes(), len(seen)) for row in rows + np.float32(0)], np.int64)
    if len(seen) == len(rows):
        return rows, None
    return rows[np.unique(where, return_index=True)[1]], where
