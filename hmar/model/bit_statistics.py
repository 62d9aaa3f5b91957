"""Bit statistics: how many bits a code is worth, of those that it has.

Codes hold most where every bit is 1 in half of them and no two bits say the same (Weiss et al., Spectral
Hashing, NIPS 2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.errors import ParameterError
from hmar.values.codes import CodeArray

_Exact = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BitStatistics:
    """How a set of codes uses its bits.

    Parameters
    ----------
    rarer_share : float
        Mean over the bits of the share of codes that have the rarer value, 0 to 0.5; 0.5 is best.
    worst_share : float
        The smallest of these shares.
    correlation : float
        Mean over the pairs of bits of the absolute Pearson correlation, 0 to 1; 0 is best. Denominator: the
        pairs in which both bits vary; NaN where there is none.
    effective_bits : float
        Number of independent, balanced bits with the same spread: the participation ratio of the covariance
        matrix C of the bits, trace(C)^2 / trace(C^2). It is the code's length where C is a multiple of the
        identity; 0 where no bit varies.
    """

    rarer_share: float
    worst_share: float
    correlation: float
    effective_bits: float


def bit_statistics(codes: CodeArray, weights: _Exact | None = None) -> BitStatistics:
    """Measure a set of codes.

    Parameters
    ----------
    codes : ndarray of uint8, shape (N, bits / 8)
        Packed codes, N at least 1.
    weights : ndarray of float64, shape (N,), optional
        How much each code counts, above 0; all the same if not given.

    Raises
    ------
    ParameterError
        If there is no code.
    """
    if codes.ndim != 2 or codes.size == 0:
        raise ParameterError(f"Codes of shape {codes.shape} have no bits.", "Give at least one packed code.")
    bits = np.unpackbits(codes, axis=1).astype(np.float64)
    share = np.full(len(bits), 1 / len(bits)) if weights is None else weights / weights.sum()
    ones = share @ bits
    varies = bits.min(axis=0) < bits.max(axis=0)
    rarer = np.where(varies, np.minimum(ones, 1 - ones), 0.0)
    centred = bits[:, varies] - ones[varies]
    covariance: _Exact = (centred * share[:, None]).T @ centred
    return BitStatistics(
        float(rarer.mean()), float(rarer.min()), _correlation(covariance), _participation(covariance)
    )


def _correlation(covariance: _Exact) -> float:
    number = len(covariance)
    if number < 2:
        return float("nan")
    deviation = np.sqrt(np.diag(covariance))
    pairs = np.abs(covariance / np.outer(deviation, deviation))[np.triu_indices(number, 1)]
    return float(pairs.mean())


def _participation(covariance: _Exact) -> float:
    total = float((covariance * covariance).sum())
    return float(np.trace(covariance)) ** 2 / total if total > 0 else 0.0
