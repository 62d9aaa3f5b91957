"""Codes of which some bits count more than others: what a search is refined to.

A weighted Hamming distance is the sum of the weights of the bits that differ. It is looked up four bits at a
time, in tables that the kernels take as they take those of plain codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hmar.values.codes import CODE_BYTES, WEIGHT_OF_BIT, Bits, BitWeights, CodeArray, Query, hamming

FOUR, NIBBLES = 4, 16
Tables = NDArray[np.uint8]


@dataclass(frozen=True)
class WeightedCodes:
    """Query codes with a weight for each bit.

    Parameters
    ----------
    codes : ndarray of uint8, shape (Q, 16)
    weights : ndarray of uint8, shape (Q, 128)
        As :class:`hmar.values.codes.Query` has them: a distance fits in a byte.
    """

    codes: CodeArray
    weights: BitWeights

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def by_plane(self) -> Tables:
        """Distances of the sixteen values of each lower and upper half of a byte, (Q, 16, 2, 16)."""
        of_value = np.unpackbits(np.arange(NIBBLES, dtype=np.uint8)[:, None], axis=1)[:, 4:]
        asked = np.unpackbits(self.codes, axis=1).reshape(-1, CODE_BYTES, 2, 1, 4)
        counted = self.weights.reshape(-1, CODE_BYTES, 2, 1, 4)
        upper_first: Tables = np.where(of_value != asked, counted, 0).sum(axis=-1, dtype=np.uint8)
        return upper_first[:, :, ::-1]

    @cached_property
    def tables(self) -> Tables:
        """The same for each four queries side by side, (ceil(Q / 4), 16, 4, 2, 16).

        Those that fill the last four up are all 0: they add nothing to a sum.
        """
        filled = np.zeros((-(-len(self) // FOUR) * FOUR, *self.by_plane.shape[1:]), np.uint8)
        filled[: len(self)] = self.by_plane
        by_four = filled.reshape(-1, FOUR, CODE_BYTES, 2, NIBBLES)
        return np.ascontiguousarray(by_four.transpose(0, 2, 1, 3, 4))

    @cached_property
    def _first_by_pair(self) -> Tables:
        """Distances of the first query to all values of each two bytes, (8, 65536), the lower byte first."""
        lower, upper = self.by_plane[0].transpose(1, 0, 2)
        of_byte = (upper[:, :, None] + lower[:, None, :]).reshape(CODE_BYTES, 256)
        pairs: Tables = of_byte[1::2, :, None] + of_byte[0::2, None, :]
        return pairs.reshape(CODE_BYTES // 2, -1)

    def distances(self, codes: CodeArray, bits: Bits) -> NDArray[np.int64]:
        """Return the weighted distances of the first query to codes, shape (n, 16), in units of weight."""
        pairs = np.ascontiguousarray(codes).view("<u2")
        total = np.zeros(len(codes), np.uint8)
        for number in range(bits // 16):
            total += self._first_by_pair[number][pairs[:, number]]
        return total.astype(np.int64)


QueryCodes = CodeArray | WeightedCodes


def windows_of(query: Query) -> QueryCodes:
    """Return what the windows of frames are compared with."""
    return _weighted(query.window_codes, query.window_weights)


def parts_of(query: Query) -> list[QueryCodes]:
    """Return the same region by region."""
    if query.window_weights is None:
        return [*query.parts]
    weights = np.split(query.window_weights, len(query.parts))
    return [_weighted(*each) for each in zip(query.parts, weights, strict=True)]


def whole_of(query: Query) -> QueryCodes:
    """Return what whole frames are compared with, of length 1."""
    weights = None if query.global_weights is None else query.global_weights[None]
    return _weighted(query.global_code[None], weights)


def _weighted(codes: CodeArray, weights: BitWeights | None) -> QueryCodes:
    return codes if weights is None else WeightedCodes(codes, weights)


def first_distances(queries: QueryCodes, codes: CodeArray, bits: Bits) -> NDArray[np.int64]:
    """Return the distances of the first query to codes, shape (n, 16); at most 255, in units of weight."""
    if isinstance(queries, WeightedCodes):
        return queries.distances(codes, bits)
    return hamming(codes[:, : bits // 8], queries[0, : bits // 8])


def all_distances(queries: QueryCodes, codes: CodeArray, bits: Bits) -> NDArray[np.int64]:
    """Return the distances of Q queries to codes, shape (n, 16), as (n, Q), in units of weight."""
    asked = queries.codes if isinstance(queries, WeightedCodes) else queries
    one, other = codes[:, None, : bits // 8], asked[:, : bits // 8]
    if isinstance(queries, WeightedCodes):
        differing = np.unpackbits(one ^ other, axis=2)
        counted: NDArray[np.int64] = np.where(differing, queries.weights[:, :bits], 0).sum(
            axis=2, dtype=np.int64
        )
        return counted
    return hamming(one, other)


def unit_of(queries: QueryCodes) -> float:
    """Return what a bit of mean weight counts: distances are divided by it, so that they are in bits."""
    return WEIGHT_OF_BIT if isinstance(queries, WeightedCodes) else 1.0


def largest_sum(queries: QueryCodes, bits: Bits) -> int:
    """Return the largest sum, over the queries, of their distances."""
    return int(bits * unit_of(queries)) * len(queries)
