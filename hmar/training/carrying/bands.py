"""What registration sees of a CT volume: soft tissue, bone and lung, on a coarse grid."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hmar.training.data.volumes import Volume

SOFT, BONE, LUNG = 0, 1, 2
"""Channels of the bands."""

_SOFT_HU, _BONE_HU = (-150.0, 250.0), (150.0, 500.0)
_LUNG_HU = (-950.0, -850.0, -600.0, -400.0)
"""Between the middle two a voxel is lung; outside the outer two it is not; air around the body is darker."""

_DENSE_HU = -300.0
"""Above this a voxel is body, table or clothes, and not air or lung."""

_SLICES_AT_ONCE = 16
_MARGIN = 2
"""Cells around the body that are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """The body of a volume as registration sees it.

    Parameters
    ----------
    channels : Tensor, shape (3, Z, Y, X)
        Soft tissue, bone and lung, each 0 to 1, averaged over the cells of the grid.
    body : Tensor, shape (Z, Y, X)
        1 where the cell belongs to the body, else 0.
    start_mm : Tensor, shape (3,)
        Where the grid begins along z, y and x, from the border of the volume.
    cell_mm : Tensor, shape (3,)
        Size of a cell.
    """

    channels: Tensor
    body: Tensor
    start_mm: Tensor
    cell_mm: Tensor

    @property
    def size_mm(self) -> Tensor:
        """Extent of the grid, shape (3,)."""
        return self.cell_mm * torch.tensor(self.body.shape)

    def centres_mm(self, axis: int) -> Tensor:
        """Return the positions of the cells' centres along an axis, from the border of the volume."""
        return self.start_mm[axis] + (torch.arange(self.body.shape[axis]) + 0.5) * self.cell_mm[axis]

    def at(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the channels (3, Z, Y, X) at points (3, Z, Y, X) in mm, and 1 where the body was scanned."""
        shape = (3, 1, 1, 1)
        unit = (points - self.start_mm.view(shape)) / self.size_mm.view(shape)  # 0 to 1 within the grid
        grid = (2 * unit - 1).flip(0).permute(1, 2, 3, 0)[None]  # x, y, z last, as grid_sample wants them
        channels = F.grid_sample(self.channels[None], grid, align_corners=False, padding_mode="border")[0]
        return channels, ((unit[0] >= 0) & (unit[0] < 1)).float()


def bands_of(volume: Volume, cell_mm: float) -> Bands:
    """Return the bands of a CT volume on cells of about ``cell_mm``; slices farther apart are kept."""
    slices = len(volume.values)
    size_mm = [n * spacing for n, spacing in zip(volume.values.shape, volume.spacing_mm, strict=True)]
    z, y, x = (max(1, round(size / cell_mm)) for size in size_mm)
    shape = (min(slices, z), y, x)
    parts = [
        F.interpolate(_shown(volume, first), size=shape[1:], mode="area")
        for first in range(0, slices, _SLICES_AT_ONCE)
    ]
    shown = F.interpolate(torch.cat(parts).transpose(0, 1)[None], size=shape, mode="area")[0]
    body = _body(shown[3] + shown[LUNG])
    rows, columns = (_extent(body.amax(others)) for others in ((0, 2), (0, 1)))
    cell = torch.tensor([size / count for size, count in zip(size_mm, shape, strict=True)])
    return Bands(
        shown[:3, :, rows, columns].contiguous(),
        body[:, rows, columns].contiguous(),
        cell * torch.tensor([0, rows.start, columns.start]),
        cell,
    )


def _shown(volume: Volume, first: int) -> Tensor:
    """Map the HU of some slices to the bands and to what is dense, (slices, 4, Y, X)."""
    values = torch.from_numpy(volume.values[first : first + _SLICES_AT_ONCE]).float()
    outer, inner, inner_end, outer_end = _LUNG_HU
    lung = torch.minimum((values - outer) / (inner - outer), (outer_end - values) / (outer_end - inner_end))
    soft, bone = ((values - low) / (high - low) for low, high in (_SOFT_HU, _BONE_HU))
    dense = (values > _DENSE_HU).float()
    return torch.stack([soft.clamp(0, 1), bone.clamp(0, 1), lung.clamp(0, 1), dense], dim=1)


def _body(filled: Tensor) -> Tensor:
    """Return the body (Z, Y, X) without what is thin, such as the table: each slice opened by 3x3 cells."""
    solid = (filled > 0.5).float()[:, None]
    eroded = -F.max_pool2d(-solid, 3, 1, 1)
    return F.max_pool2d(eroded, 3, 1, 1)[:, 0]


def _extent(shown: Tensor) -> slice:
    """Return where along an axis the body is, with a margin; the whole axis where there is none."""
    found = shown.nonzero()
    if not len(found):
        return slice(0, len(shown))
    return slice(max(0, int(found[0]) - _MARGIN), min(len(shown), int(found[-1]) + 1 + _MARGIN))
