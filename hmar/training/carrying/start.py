"""Where registration may start: the shifts and sizes by which two bodies fit best, found by trying them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from hmar.training.carrying.bands import Bands
from hmar.training.carrying.similarity import correlation
from hmar.training.carrying.transform import Transform

LEAST_OVERLAP_MM = 100.0
"""Two scans must share this much of the body's length, or the whole of the shorter one."""

_LENGTHS = (0.88, 1.0, 1.13)
"""How much longer the other body may be, along z."""

_WIDTHS = (1.0, 0.92, 1.08)
"""Widths and depths that are tried around the ratio of the bodies' own."""

_LEAST_DEVIATION_MM, _SCALES = 20.0, (0.7, 1.4)
"""A body narrower than the first is no body, and two do not differ in size by more than the second."""

_STEP_MM, _APART_MM = 16.0, 24.0
"""Shifts along the body that are tried, and how far apart the best ones must be."""

_UNSHARED = 0.15
"""What a map costs that lays nothing of the shorter scan on the other: parts that fit by chance are short."""


def find_starts(target: Bands, atlas: Bands, count: int) -> list[Transform]:
    """Return the best maps from target to atlas without rotation, best first; none if there is no body.

    Parameters
    ----------
    target, atlas : Bands
    count : int
        Of maps, each with another shift along the body.
    """
    moments = _moments(target), _moments(atlas)
    scored: list[tuple[float, float, Transform]] = []
    middle = float(target.size_mm[0]) / 2
    for length, shift in _along(target, atlas):
        tried = [
            fitted for width in _WIDTHS if (fitted := _fitted(target, atlas, moments, length, shift, width))
        ]
        scored += [(_score(target, atlas, one), length * middle + shift, one) for one in tried]
    scored.sort(key=lambda one: one[0], reverse=True)
    chosen: list[tuple[float, float, Transform]] = []
    for one in scored:
        if all(abs(one[1] - other[1]) >= _APART_MM for other in chosen):
            chosen.append(one)
        if len(chosen) == count:
            break
    return [one[2] for one in chosen]


def _along(target: Bands, atlas: Bands) -> Iterator[tuple[float, float]]:
    own, other = float(target.size_mm[0]), float(atlas.size_mm[0])
    for length in _LENGTHS:
        least = min(LEAST_OVERLAP_MM, own * length, other)
        first, last = least - own * length, other - least
        steps = math.ceil((last - first) / _STEP_MM) + 1
        for shift in torch.linspace(first, last, steps).tolist():
            yield length, shift


def _moments(bands: Bands) -> Tensor:
    """Return of each slice (Z, 5) the body's cells, and the sums of y, x, y^2 and x^2 over them."""
    y, x = bands.centres_mm(1)[:, None], bands.centres_mm(2)[None, :]
    factors = (torch.ones(()), y, x, y * y, x * x)
    return torch.stack([(bands.body * factor).sum((1, 2)) for factor in factors], dim=1)


def _fitted(
    target: Bands, atlas: Bands, moments: tuple[Tensor, Tensor], length: float, shift: float, width: float
) -> Transform | None:
    """Return the map that lays the shared part of one body on that of the other."""
    z = target.centres_mm(0) * length + shift
    shared = (z >= 0) & (z < atlas.size_mm[0])
    plane = (z[shared] / atlas.cell_mm[0]).long().clamp(max=len(atlas.body) - 1)
    own, other = moments[0][shared].sum(0), moments[1][plane].sum(0)
    if own[0] == 0 or other[0] == 0:
        return None
    (mean_a, deviation_a), (mean_b, deviation_b) = _spread(own), _spread(other)
    scale = (deviation_b / deviation_a).clamp(*_SCALES) * width
    linear = torch.diag(torch.cat([torch.tensor([length]), scale]))
    return Transform(linear, torch.cat([torch.tensor([shift]), mean_b - scale * mean_a]))


def _spread(sums: Tensor) -> tuple[Tensor, Tensor]:
    mean = sums[1:3] / sums[0]
    return mean, (sums[3:5] / sums[0] - mean**2).clamp(min=_LEAST_DEVIATION_MM**2).sqrt()


def _score(target: Bands, atlas: Bands, tried: Transform) -> float:
    """Return the correlation of the bands where both are seen, less what is lost for what is not shared."""
    z = target.centres_mm(0)
    mapped = tried.linear[0, 0] * z + tried.offset[0]
    shared = (mapped >= 0) & (mapped < atlas.size_mm[0])
    points = tried.on_grid(z[shared], target.centres_mm(1), target.centres_mm(2))
    warped, _ = atlas.at(points)
    extent = float(shared.sum() * target.cell_mm[0] * tried.linear[0, 0])
    missing = 1 - extent / min(float(target.size_mm[0] * tried.linear[0, 0]), float(atlas.size_mm[0]))
    return float(correlation(target.channels[:, shared], warped, target.body[shared])) - _UNSHARED * missing
