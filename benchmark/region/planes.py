"""Slices on the encoder's grid, one pass of the backbone for each, and the windows of the protocol."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.region.volumes import NO_STRUCTURE, LabelledVolume, Scan
from benchmark.types import Progress
from hmar.image.grid import Grid, GridConfig, channels, make_grid
from hmar.image.windows import WindowConfig, lattice
from hmar.values.frames import FloatArray, Frame, FrameInfo, Units
from hmar.values.geometry import Spacing

GRID = GridConfig()
"""Pixels of 1.0 mm, cells of 16 pixels or 16 mm."""

SIDES = WindowConfig().cells
"""Sides of the windows in cells: 32, 64 and 96 mm. They lie on a lattice of one cell."""

SLICE_DISTANCE_MM = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One slice.

    Parameters
    ----------
    frame : Frame
        In HU, or in presentation values for phantoms seen through a display window.
    grid : Grid
        Where it lies on the encoder's grid.
    labels : ndarray of int16, shape (rows, columns)
        Structure of each source pixel, -1 for none.
    backbone_map : Tensor, shape (C, h, w)
        The frozen backbone's map of the whole slice.
    backbone_ms : float
        What that pass took.
    """

    frame: Frame
    grid: Grid
    labels: NDArray[np.int16]
    backbone_map: Tensor
    backbone_ms: float

    @property
    def cells(self) -> tuple[int, int]:
        """(h, w) of the map."""
        return self.grid.rows // GRID.stride, self.grid.columns // GRID.stride

    def image(self) -> FloatArray:
        """Return the encoder's input, (3, grid.rows, grid.columns), 0 to 1."""
        return channels(self.frame, self.grid)

    def window_lattice(self, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first rows and first columns, in cells, of the windows of one size."""
        h, w = self.cells
        return lattice(h, side, 1), lattice(w, side, 1)

    def covered(self, side: int) -> NDArray[np.int64]:
        """Return the structure that covers each window's centre, in order of row and column."""
        rows, columns = self.window_lattice(side)
        y = ((rows + side / 2) * GRID.stride / self.grid.scale_row).astype(np.int64)
        x = ((columns + side / 2) * GRID.stride / self.grid.scale_column).astype(np.int64)
        found = np.full((len(rows), len(columns)), NO_STRUCTURE, np.int64)
        inside = np.ix_(y < self.labels.shape[0], x < self.labels.shape[1])
        found[inside] = self.labels[np.ix_(y[y < self.labels.shape[0]], x[x < self.labels.shape[1]])]
        return found.ravel()


@torch.inference_mode()
def make_plane(
    backbone: nn.Module, values: FloatArray, labels: NDArray[np.int16], spacing: Spacing, units: Units
) -> Plane:
    """Lay a slice on the grid and run the backbone over it.

    Parameters
    ----------
    backbone : nn.Module
        Maps (1, 3, H, W) in 0..1 to (1, C, H / 16, W / 16).
    values : ndarray of float32, shape (rows, columns)
        In ``units``.
    labels : ndarray of int16, shape (rows, columns)
    spacing : Spacing
        In mm.
    units : Units
    """
    frame = ct_frame(values, spacing, units)
    grid = make_grid(frame.info.rows, frame.info.columns, spacing, GRID)
    begun = time.perf_counter()
    image = torch.from_numpy(channels(frame, grid))[None].to(memory_format=torch.channels_last)
    backbone_map = backbone(image)[0].contiguous()
    return Plane(frame, grid, labels, backbone_map, 1000 * (time.perf_counter() - begun))


def ct_frame(values: FloatArray, spacing: Spacing, units: Units) -> Frame:
    """Return a slice (rows, columns) as a frame of nobody's."""
    rows, columns = values.shape
    info = FrameInfo(
        study_uid="2.25.1",
        series_uid="2.25.1",
        sop_instance_uid="2.25.1",
        frame_number=1,
        modality="CT",
        patient_key=None,
        rows=rows,
        columns=columns,
        spacing=spacing,
    )
    return Frame(info, np.asarray(values, np.float32), units)


def chosen_slices(volume: LabelledVolume | Scan) -> range:
    """Return the numbers of a volume's slices about 5 mm apart."""
    return range(0, len(volume.values), max(1, round(SLICE_DISTANCE_MM / volume.spacing_mm[0])))


def relabelled(planes: Sequence[Plane], volume: LabelledVolume) -> list[Plane]:
    """Return the slices of a volume with the labels that it has there, and the maps that they have."""
    return [
        replace(plane, labels=volume.labels[z])
        for plane, z in zip(planes, chosen_slices(volume), strict=True)
    ]


def planes_of(volume: LabelledVolume, backbone: nn.Module, progress: Progress) -> list[Plane]:
    """Return a volume's slices, about 5 mm apart."""
    _, y_mm, x_mm = volume.spacing_mm
    chosen = chosen_slices(volume)
    planes = []
    for done, z in enumerate(chosen, start=1):
        values = volume.values[z].astype(np.float32)
        planes.append(make_plane(backbone, values, volume.labels[z], Spacing(y_mm, x_mm), Units.HU))
        progress(f"{volume.name} through the backbone", done, len(chosen))
    return planes


def windows_of(planes: Sequence[Plane], side: int) -> Iterator[tuple[int, int, int]]:
    """Yield (plane, row, column) of every window of one size, in the order of all descriptors."""
    for index, plane in enumerate(planes):
        rows, columns = plane.window_lattice(side)
        yield from ((index, row, column) for row in rows.tolist() for column in columns.tolist())
