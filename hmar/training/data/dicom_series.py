"""A volume from the slices of one DICOM series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hmar.image.grid import Grid, GridConfig, make_grid, resample
from hmar.training.data.volumes import THOUSANDTHS, Volume
from hmar.values.frames import FloatArray, Frame, FrameInfo, Units

LEAST_SLICES = 8
"""A series of fewer slices is left out: training compares neighbouring slices."""

LARGEST_GAP_MM = 12.0
"""A series whose slices lie farther apart is a localiser or incomplete: neighbours hardly share anatomy."""

_LARGEST_HOLE = 2
"""Times the usual distance that two neighbouring slices may be apart: one slice may be missing."""

Item = TypeVar("Item")


def is_placed(info: FrameInfo) -> bool:
    """Whether a slice has a position and a pixel spacing."""
    return info.position is not None and info.spacing is not None


def why_no_volume(modality: str, placed: Sequence[FrameInfo]) -> str | None:
    """Return why slices form no volume, by their headers; None where they do.

    Parameters
    ----------
    modality : str
    placed : sequence of FrameInfo
        Those of a series with position and spacing, from feet to head.
    """
    if modality not in ("CT", "MR"):
        return "neither CT nor MR"
    if len(placed) < LEAST_SLICES:
        return f"fewer than {LEAST_SLICES} slices with position and spacing"
    gaps = gaps_mm(placed)
    between = float(np.median(gaps))
    if not 0 < between <= LARGEST_GAP_MM or gaps.max() > _LARGEST_HOLE * between:
        return "slices are not evenly spaced along the body"
    return None


def why_not_stacked(frames: Sequence[Frame]) -> str | None:
    """Return why the frames of a series form no volume, by their pixels; None where they do."""
    if len({(frame.values.shape, frame.units) for frame in frames}) > 1:
        return "slices differ in size or units"
    if frames[0].info.modality == "CT" and frames[0].units is not Units.HU:
        return "CT without Hounsfield units"
    return None


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
        modality != "CT",
    )


def single_volume(
    name: str,
    frame: Frame,
    region: int,
    *,
    labels: NDArray[np.int16] | None = None,
    image_label: int | None = None,
    patient: str | None = None,
) -> Volume:
    """Return an image as a volume of one slice, resampled as for the encoder.

    Parameters
    ----------
    name : str
    frame : Frame
    region : int
        Body region, -1 where unknown.
    labels : ndarray of int16, shape (rows, columns), or None
        Structure of each pixel of the frame.
    image_label : int or None
        Label of the image.
    patient : str or None
    """
    info = frame.info
    laid = GridConfig()
    grid = make_grid(info.rows, info.columns, info.spacing, laid)
    # Training expects Hounsfield units of CT; a picture of a CT has none.
    modality = "OT" if info.modality == "CT" and frame.units is not Units.HU else info.modality
    return Volume(
        name,
        as_integers(resample(frame.values, grid), modality)[None],
        (1.0, laid.pitch_mm, laid.pitch_mm),
        modality,
        np.array([region], np.int64),
        None if labels is None else _nearest(labels, grid)[None],
        None if image_label is None else np.array([image_label]),
        patient,
        modality != "CT",
    )


def _nearest(labels: NDArray[np.int16], grid: Grid) -> NDArray[np.int16]:
    """Resample labels (rows, columns) onto the filled part of a grid: those at the centres of its pixels."""
    rows = ((np.arange(grid.filled_rows) + 0.5) / grid.scale_row).astype(np.int64)
    columns = ((np.arange(grid.filled_columns) + 0.5) / grid.scale_column).astype(np.int64)
    return labels[np.ix_(rows, columns)]


def as_integers(values: FloatArray, modality: str) -> NDArray[np.int16]:
    """Return HU for CT; presentation values, 0 to 1, as thousandths for what has no units."""
    scale = 1.0 if modality == "CT" else THOUSANDTHS
    stored: NDArray[np.int16] = np.rint(values * scale).astype(np.int16)
    return stored
