"""Code health: whether codes are balanced, uncorrelated and distinct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.model.bit_statistics import bit_statistics


@dataclass(frozen=True, slots=True)
class CodeHealth:
    """How a set of codes uses its bits, see :mod:`hmar.model.bit_statistics`.

    Parameters
    ----------
    balance : float
        Mean over the bits of 2 min(share of ones, share of zeros): 1 where every bit halves the set, 0 where
        no bit varies.
    worst_balance : float
        The same of the least balanced bit.
    correlation : float
        Mean over the pairs of bits of the absolute Pearson correlation, 0 to 1. Denominator: the pairs in
        which both bits vary; NaN where there is none.
    effective_bits : float
        Number of independent, balanced bits with the same spread.
    distinct : int
        Number of different codes.
    """

    balance: float
    worst_balance: float
    correlation: float
    effective_bits: float
    distinct: int


def code_health(codes: NDArray[np.uint8]) -> CodeHealth:
    """Measure a set of codes.

    Parameters
    ----------
    codes : ndarray of uint8, shape (N, bits / 8)
        Packed codes, N at least 1.

    Raises
    ------
    ParameterError
        If there is no code.
    """
    found = bit_statistics(codes)
    return CodeHealth(
        2 * found.rarer_share,
        2 * found.worst_share,
        found.correlation,
        found.effective_bits,
        len({code.tobytes() for code in codes}),
    )
