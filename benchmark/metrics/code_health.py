"""Bit statistics: whether codes are balanced, uncorrelated and distinct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.errors import ParameterError


@dataclass(frozen=True, slots=True)
class CodeHealth:
    """How a set of codes uses its bits (the aims of Weiss et al., Spectral Hashing, NIPS 2008).

    Parameters
    ----------
    balance : float
        Mean over the bits of 2 min(share of ones, share of zeros): 1 where every bit halves the set, 0 where
        no bit varies.
    correlation : float
        Mean over the pairs of bits of the absolute Pearson correlation, 0 to 1. Denominator: the pairs in
        which both bits vary; NaN where there is none.
    distinct : int
        Number of different codes.
    """

    balance: float
    correlation: float
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
    if codes.ndim != 2 or codes.size == 0:
        raise ParameterError(f"Codes of shape {codes.shape} have no bits.", "Give at least one packed code.")
    bits = np.unpackbits(codes, axis=1).astype(np.float64)
    ones = bits.mean(axis=0)
    balance = float((2 * np.minimum(ones, 1 - ones)).mean())
    return CodeHealth(balance, _correlation(bits), len({code.tobytes() for code in codes}))


def _correlation(bits: NDArray[np.float64]) -> float:
    centred = bits - bits.mean(axis=0)
    varying = centred[:, bits.min(axis=0) < bits.max(axis=0)]
    number = varying.shape[1]
    if number < 2:
        return float("nan")
    unit = varying / np.linalg.norm(varying, axis=0)
    pairs = np.abs(unit.T @ unit)[np.triu_indices(number, 1)]
    return float(pairs.mean())
