"""A straight line through measured sizes, and how far it may be off where nothing was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

LEAST_ERROR = 0.1
"""A figure is never told more exactly than this: machines and archives differ by more."""
MORE_PER_TENFOLD = 0.25
"""Added to the error for each factor of ten beyond the largest size that was measured."""


class Point(NamedTuple):
    """What was measured at a size: frames, windows of all of them, and the figure."""

    frames: int
    windows: int
    value: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the bounds it most likely lies within.

    Parameters
    ----------
    value, low, high : float
    beyond : float
        How many times larger the size is than the largest that was measured; at most 1 within it.
    """

    value: float
    low: float
    high: float
    beyond: float

    @property
    def extrapolated(self) -> bool:
        """Whether nothing as large was measured."""
        return self.beyond > 1

    def times(self, factor: float) -> Interval:
        """Return the same in another unit, or of several at once; the factor is not negative."""
        return Interval(self.value * factor, self.low * factor, self.high * factor, self.beyond)

    def plus(self, other: Interval) -> Interval:
        """Return the sum; both may be off the same way."""
        return Interval(
            self.value + other.value,
            self.low + other.low,
            self.high + other.high,
            max(self.beyond, other.beyond),
        )

    def to_dict(self) -> dict[str, float | bool]:
        """Return the figure for JSON, with four digits that count."""
        told = {name: _short(getattr(self, name)) for name in ("value", "low", "high")}
        return {**told, "extrapolated": self.extrapolated}


@dataclass(frozen=True, slots=True)
class Line:
    """A figure that grows with frames and with windows: ``per_frame * frames + per_window * windows``.

    Parameters
    ----------
    per_frame, per_window : float
        Not negative.
    error : float
        By what factor, less 1, the line misses the point it misses most; at least ``LEAST_ERROR``. All points
        lie within the interval.
    most_frames, most_windows : int
        That were measured; 0 frames where the figure does not grow with them.
    """

    per_frame: float
    per_window: float
    error: float
    most_frames: int
    most_windows: int

    @classmethod
    def through(cls, points: Sequence[Point]) -> Self:
        """Fit a line to one point or more, so that the relative errors are least in their squares.

        Raises
        ------
        ValueError
            Without a point, or for one whose windows or figure are not above 0.
        """
        if not points or any(point.windows <= 0 or point.value <= 0 for point in points):
            raise ValueError(f"no line goes through {list(points)}")
        per_frame, per_window = _fitted(points)
        ratios = [(per_frame * point.frames + per_window * point.windows) / point.value for point in points]
        errors = [max(ratio, 1 / ratio) - 1 for ratio in ratios]
        return cls(
            per_frame,
            per_window,
            max(LEAST_ERROR, *errors),
            max(point.frames for point in points),
            max(point.windows for point in points),
        )

    def at(self, frames: int, windows: int) -> Interval:
        """Return the figure at a size; beyond what was measured the interval grows."""
        value = self.per_frame * frames + self.per_window * windows
        beyond = max(windows / self.most_windows, frames / self.most_frames if self.most_frames else 0.0)
        error = self.error + MORE_PER_TENFOLD * max(0.0, math.log10(beyond))
        return Interval(value, value / (1 + error), value * (1 + error), beyond)


def _fitted(points: Sequence[Point]) -> tuple[float, float]:
    """Return both slopes by the normal equations, each at least 0; windows alone where that tells no more."""
    scaled = [(point.frames / point.value, point.windows / point.value) for point in points]
    ff = sum(f * f for f, _ in scaled)
    fw = sum(f * w for f, w in scaled)
    ww = sum(w * w for _, w in scaled)
    f1, w1 = sum(f for f, _ in scaled), sum(w for _, w in scaled)
    determinant = ff * ww - fw * fw
    if determinant > 1e-9 * ff * ww:  # windows a frame differ among the points
        per_frame, per_window = (f1 * ww - w1 * fw) / determinant, (w1 * ff - f1 * fw) / determinant
        if per_frame >= 0 and per_window >= 0:
            return per_frame, per_window
        if per_window < 0:
            return f1 / ff, 0.0
    return 0.0, w1 / ww


def _short(value: float) -> float:
    return float(f"{value:.4g}")
