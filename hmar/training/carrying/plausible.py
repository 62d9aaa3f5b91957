"""Which carried labels are kept: those that lie well within a structure, and have its HU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hmar.training.carrying.anatomy import CARRIED, Tissue
from hmar.training.data.augment import ENHANCING_HU
from hmar.training.data.structures import NO_STRUCTURE, UNLABELLED
from hmar.training.data.volumes import Volume

BORDER_MM, FAR_MM = 3.0, 9.0
"""A label is kept if the same one lies this far away in every direction: a structure's, and that of none."""

_PERCENTILES = (2, 98)
"""Of the HU of the structure in the other person; beyond them it is noise or another tissue."""

_WATER_HU = 10.0
"""Soft tissue without contrast agent is not darker than this, but for fat within it."""


def plausible_hu(atlas: Volume, structures: Sequence[str]) -> dict[int, tuple[float, float]]:
    """Return the range of HU that each structure of a volume may have in another person, by its number.

    Parameters
    ----------
    atlas : Volume
        CT with labels.
    structures : sequence of str
        Names by number.

    Returns
    -------
    dict of int to tuple of float
        Only of the structures that can be carried.
    """
    labels = atlas.labels
    ranges: dict[int, tuple[float, float]] = {}
    if labels is None:
        return ranges
    for number in np.unique(labels[labels >= 0]).tolist():
        tissue = CARRIED.get(structures[number])
        if tissue is None:
            continue
        low, high = np.percentile(atlas.values[labels == number], _PERCENTILES).tolist()
        if tissue is Tissue.SOFT:  # whatever contrast agent either of the two was given
            low, high = min(low, _WATER_HU), max(high, ENHANCING_HU[1])
        ranges[number] = low, high
    return ranges


def keep_plausible(
    carried: NDArray[np.int16], target: Volume, ranges: Mapping[int, tuple[float, float]]
) -> NDArray[np.int16]:
    """Return carried labels with UNLABELLED where they may be wrong.

    Parameters
    ----------
    carried : ndarray of int16, shape (Z, Y, X)
    target : Volume
        Whose labels they are.
    ranges : mapping of int to tuple of float
        As :func:`plausible_hu` returns it; other structures are not kept.
    """
    kept = np.zeros(carried.shape, np.bool_)
    for number, (low, high) in ranges.items():
        kept |= (carried == number) & (target.values >= low) & (target.values <= high)
    kept &= _well_within(carried, target.spacing_mm, BORDER_MM)
    none = (carried == NO_STRUCTURE) & _well_within(carried, target.spacing_mm, FAR_MM)
    return np.where(kept | none, carried, np.int16(UNLABELLED))


def _well_within(
    labels: NDArray[np.int16], spacing_mm: tuple[float, float, float], margin_mm: float
) -> NDArray[np.bool_]:
    """Return where the label is the same at a distance in both directions of each axis, (Z, Y, X).

    Axes with coarser voxels than the distance are left out, and so is what lies beyond the border.
    """
    same = np.ones(labels.shape, np.bool_)
    for axis, spacing in enumerate(spacing_mm):
        steps = round(margin_mm / spacing)
        if not 0 < steps < labels.shape[axis]:
            continue
        lower, upper = [slice(None)] * 3, [slice(None)] * 3
        lower[axis], upper[axis] = slice(None, -steps), slice(steps, None)
        equal = labels[tuple(lower)] == labels[tuple(upper)]
        same[tuple(lower)] &= equal
        same[tuple(upper)] &= equal
    return same
