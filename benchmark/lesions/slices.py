"""Slices as an archive holds them: their served windows, which of them show the lesion, and the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmark.lesions.data import LesionSlice, Mask
from benchmark.region.features import WindowFeature
from benchmark.region.planes import GRID, Plane
from benchmark.region.queries import box_round
from benchmark.types import Progress
from hmar.image.grid import channels, content, make_grid
from hmar.image.windows import QueryWindows, WindowConfig, kept_windows, lattice, query_windows, window_box
from hmar.values.codes import WindowIds
from hmar.values.frames import FloatArray
from hmar.values.geometry import Box
from hmar.values.window_ids import unpack_window_ids

LEAST_COVERED = 0.5
"""Least share of the smaller one of window and lesion that the two have in common, for a hit."""

Right = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ArchiveSlice:
    """One slice of an archive.

    Parameters
    ----------
    source : LesionSlice
    plane : Plane
        The slice on the encoder's grid.
    ids : ndarray of uint32, shape (W,)
        Its served windows, in order of size, row and column.
    right : ndarray of bool, shape (W,)
        Which of them show the lesion.
    query : QueryWindows or None
        The nine windows that the lesion's box is asked for with, None where there is no lesion.
    """

    source: LesionSlice
    plane: Plane
    ids: WindowIds
    right: Right
    query: QueryWindows | None


def archive_slices(
    slices: Sequence[LesionSlice], backbone: nn.Module, windows: WindowConfig, progress: Progress
) -> list[ArchiveSlice]:
    """Lay slices on the grid and run the backbone over them; one that shows nothing has no windows."""
    made = []
    for done, slice_ in enumerate(slices, start=1):
        made.append(_archive_slice(slice_, backbone, windows))
        progress("slices through the backbone", done, len(slices))
    return made


@torch.inference_mode()
def _archive_slice(slice_: LesionSlice, backbone: nn.Module, windows: WindowConfig) -> ArchiveSlice:
    frame, info = slice_.frame, slice_.frame.info
    grid = make_grid(info.rows, info.columns, info.spacing, GRID, info.pixel_aspect)
    image = torch.from_numpy(channels(frame, grid))[None].to(memory_format=torch.channels_last)
    labels = np.full(frame.values.shape, -1, np.int16)
    plane = Plane(frame, grid, labels, backbone(image)[0].contiguous(), 0.0)
    ids = kept_windows(content(frame, grid), GRID.stride, windows)
    if slice_.lesion is None:
        return ArchiveSlice(slice_, plane, ids, np.zeros(len(ids), bool), None)
    shown = [shows_lesion(slice_.lesion, _box(plane, window_id, windows)) for window_id in ids.tolist()]
    query = query_windows(box_round(slice_.lesion), grid, GRID.stride, windows)
    return ArchiveSlice(slice_, plane, ids, np.array(shown, bool), query)


def shows_lesion(lesion: Mask, window: Box) -> bool:
    """Return whether a window shows a lesion.

    It does where its centre lies in the lesion, and what the two have in common is at least LEAST_COVERED of
    the smaller one: half of a large lesion's window is lesion, or half of a small lesion is in the window.

    Parameters
    ----------
    lesion : ndarray of bool, shape (rows, columns)
    window : Box
        In source pixels, within the frame.
    """
    x, y = window.centre
    row, column = int(y), int(x)
    if not (row < lesion.shape[0] and column < lesion.shape[1] and lesion[row, column]):
        return False
    # Pixels whose centres lie in the window.
    top, left, bottom, right = (
        int(np.ceil(edge - 0.5))
        for edge in (window.y, window.x, window.y + window.height, window.x + window.width)
    )
    inside = lesion[top:bottom, left:right]
    smaller = min(inside.size, int(np.count_nonzero(lesion)))
    return int(np.count_nonzero(inside)) >= LEAST_COVERED * smaller


def _box(plane: Plane, window_id: int, windows: WindowConfig) -> Box:
    info = plane.frame.info
    return window_box(window_id, plane.grid, info.rows, info.columns, GRID.stride, windows)


def describe_windows(feature: WindowFeature, slice_: ArchiveSlice, windows: WindowConfig) -> FloatArray:
    """Return the features of a slice's served windows, (W, D)."""
    parts = list(_by_size(feature, slice_, windows))
    return np.concatenate(parts)


def _by_size(feature: WindowFeature, slice_: ArchiveSlice, windows: WindowConfig) -> Iterator[FloatArray]:
    sizes, upper, left = unpack_window_ids(slice_.ids)
    for size, (side, stride) in enumerate(zip(windows.cells, windows.strides, strict=True)):
        own = sizes == size
        if own.any():
            rows, columns = (lattice(cells, side, stride) for cells in slice_.plane.cells)
            described = feature(slice_.plane, rows, columns, side)
            row, column = np.searchsorted(rows, upper[own]), np.searchsorted(columns, left[own])
            yield described[row * len(columns) + column]


def describe_query(feature: WindowFeature, plane: Plane, query: QueryWindows) -> FloatArray:
    """Return the features of a query's nine windows, (9, D), the centred one first."""
    return feature(plane, query.rows, query.columns, query.side)
