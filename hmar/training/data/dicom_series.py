"""A volume from the slices of one DICOM series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hmar.training.data.volumes import Volume
from hmar.values.frames import FloatArray, Frame, FrameInfo

THOUSANDTHS = 1000.0
"""What values without units, 0 to 1, are multiplied by to be kept as integers."""

Item = TypeVar("Item")


def from_feet_to_head(items: Iterable[Item], info: Callable[[Item], FrameInfo]) -> list[Item]:
    """Sort slices from feet to head; ``info`` returns the attributes of one."""
    return sorted(items, key=lambda item: height_mm(info(item)))


def height_mm(info: FrameInfo) -> float:
    """Return a slice's position along the body.

    Raises
    ------
    ValueError
        If the slice has no position.
    """
    if info.position is None:
        raise ValueError("a slice has no position")
    return info.position[2]


def gaps_mm(infos: Sequence[FrameInfo]) -> NDArray[np.float64]:
    """Return the distances between sorted slices."""
    return np.array([height_mm(after) - height_mm(before) for before, after in pairwise(infos)])


def series_volume(
    name: str,
    frames: Sequence[Frame],
    regions: NDArray[np.int64],
    *,
    labels: NDArray[np.int16] | None = None,
    image_labels: NDArray[np.int64] | None = None,
    patient: str | None = None,
) -> Volume:
    """Stack the frames of a series.

    Parameters
    ----------
    name : str
    frames : sequence of Frame
        From feet to head, all of one size and evenly spaced: the spacing is the median distance.
    regions, labels, image_labels, patient
        See :class:`Volume`.

    Raises
    ------
    ValueError
        If a frame has no position or the first no pixel spacing.
    """
    infos = [frame.info for frame in frames]
    spacing, modality = infos[0].spacing, infos[0].modality
    if spacing is None:
        raise ValueError("a slice has no pixel spacing")
    return Volume(
        name,
        np.stack([as_integers(frame.values, modality) for frame in frames]),
        (float(np.median(gaps_mm(infos))), spacing.row_mm, spacing.column_mm),
        modality,
        regions,
        labels,
        image_labels,
        patient,
    )


def as_integers(values: FloatArray, modality: str) -> NDArray[np.int16]:
    """Return HU for CT; presentation values, 0 to 1, as thousandths for what has no units."""
    scale = 1.0 if modality == "CT" else THOUSANDTHS
    stored: NDArray[np.int16] = np.rint(values * scale).astype(np.int16)
    return stored
