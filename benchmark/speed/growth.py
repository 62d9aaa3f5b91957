"""How the scan's time grows with the archive, and what it would be for a larger one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMALLEST = 10_000
PROJECTED = (1_000_000, 10_000_000)
_PEERS = ("faiss_p50_ms", "exact_p50_ms")
_QUALITY = ("recall", "expected_recall", "ranked_share")
_T_975 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31)
"""97.5 % quantiles of Student's t with 1, 2, ... degrees of freedom."""


def sizes_up_to(frames: int) -> list[int]:
    """Return 10, 30, 100, 300 ... thousand frames up to a number, that number last."""
    sizes = [
        size
        for power in range(8)
        for size in (SMALLEST * 10**power, 3 * SMALLEST * 10**power)
        if size < frames
    ]
    return [*sizes, frames]


def growth_rows(scanned: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return the growth of each kind of query, and what it would be in a million frames and in ten.

    Parameters
    ----------
    scanned : sequence of dict
        Rows of :func:`benchmark.speed.scan.measure_scan`, and of
        :func:`benchmark.speed.fast_scan.measure_fast_scan`, of archives of several sizes, the smallest first.
        Of each kind, all must be made in the same way, fast or exact.

    Returns
    -------
    list of dict
        A row for each of them, and one for each of ``PROJECTED``, which is marked as not measured.
    """
    kinds: dict[str, list[dict[str, object]]] = {}
    for row in scanned:
        threads = f"{row['threads']} thread{'' if row['threads'] == 1 else 's'}"
        kinds.setdefault(f"{row['name']}, {row['bits']} bits, {threads}", []).append(row)
    return [grown for name, rows in kinds.items() for grown in _grown(name, rows)]


def _grown(name: str, rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    common: dict[str, object] = {"protocol": "growth", "part": "scan", "name": name}
    peer_key = next(key for key in _PEERS if key in rows[0])
    keys = [key for key in ("frames", "windows", "p50_ms", peer_key, *_QUALITY) if key in rows[0]]
    measured = [common | {key: row[key] for key in keys} | {"how": "measured"} for row in rows]
    if len(rows) < 2:
        return measured
    frames, own, peer = (
        np.array([float(str(row[key])) for row in rows]) for key in ("frames", "p50_ms", peer_key)
    )
    own_line, peer_line = Line.through(frames, own), Line.through(frames, peer)
    projected = [
        common
        | {
            "frames": size,
            "p50_ms": round(own_line.at(size), 4),
            "p50_ms_ci95": own_line.interval(size),
            peer_key: round(peer_line.at(size), 4),
            "how": "projected",
        }
        for size in PROJECTED
        if size > frames[-1]
    ]
    return [*measured, *projected]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A straight line of time by size, fitted by relative errors: times of all sizes count alike.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (2,)
        Time of an empty archive, and of each frame.
    covariance : ndarray of float64, shape (2, 2) or None
        Of the coefficients; None for two points, which tell no error.
    error : float
        Standard deviation of the relative errors.
    freedom : int
        Points beyond two.
    """

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64] | None
    error: float
    freedom: int

    @classmethod
    def through(cls, sizes: NDArray[np.float64], times: NDArray[np.float64]) -> Line:
        """Fit a line to two points or more."""
        design = np.stack([np.ones_like(sizes), sizes], axis=1) / times[:, None]
        scatter = np.linalg.inv(design.T @ design)
        coefficients = (scatter @ design.sum(axis=0)).astype(np.float64)
        freedom = len(sizes) - 2
        if freedom < 1:
            return cls(coefficients, None, 0.0, 0)
        variance = float(np.square(design @ coefficients - 1).sum() / freedom)
        covariance = (variance * scatter).astype(np.float64)
        return cls(coefficients, covariance, variance**0.5, freedom)

    def at(self, size: float) -> float:
        """Return the time of a size."""
        return float(self.coefficients @ [1.0, size])

    def interval(self, size: float) -> list[float] | None:
        """Return the prediction interval at 95 % of a size's time; None for a line through two points.

        Source: Draper & Smith, Applied Regression Analysis, 1998, ch. 3.1; errors grow with the time.
        """
        if self.covariance is None:
            return None
        where, time = np.array([1.0, size]), self.at(size)
        spread = float(np.sqrt(where @ self.covariance @ where + (self.error * time) ** 2))
        reach = _T_975[min(self.freedom, len(_T_975)) - 1] * spread
        return [round(max(0.0, time - reach), 4), round(time + reach, 4)]
