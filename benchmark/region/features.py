"""The features of windows: R rows times S columns of windows of one side to (R * S, D).

Rows and columns are first cells, possibly fractional: a window may lie between the cells of the map.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmark.region.planes import GRID, Plane
from hmar.image.windows import cover
from hmar.model.config import PARTS
from hmar.model.experts import pool
from hmar.model.network import HmarNetwork
from hmar.model.thresholds import NO_THRESHOLDS, ModalityThresholds
from hmar.values.frames import FloatArray, Frame

Starts = NDArray[np.int64] | NDArray[np.float64]
WindowFeature = Callable[[Plane, Starts, Starts, float], FloatArray]
"""(plane, rows, columns, side) to features, all in cells."""

THUMBNAIL_SIDE = 16
CROP_SIDE = 48
_CROPS_AT_ONCE = 64
_RANDOM_WIDTH = 128


class OwnMaps:
    """Feature maps of slices by a network's own backbone, each computed once and cached.

    Parameters
    ----------
    network : nn.Module
        Maps (1, 3, H, W) in 0..1 to (1, C, H / 16, W / 16).
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._made: dict[int, tuple[Frame, torch.Tensor]] = {}

    @torch.inference_mode()
    def __call__(self, plane: Plane) -> torch.Tensor:
        """Return the map of a slice, (C, h, w)."""
        key = id(plane.frame)  # planes that differ in their labels alone share it
        if key not in self._made:  # the frame is kept too, so that its id is not reused
            image = torch.from_numpy(plane.image())[None].to(memory_format=torch.channels_last)
            self._made[key] = (plane.frame, self._network(image)[0].contiguous())
        return self._made[key][1]


def random_feature(seed: int) -> WindowFeature:
    """Return random features, new ones for every window: chance level."""
    rng = np.random.default_rng(seed)

    def feature(_plane: Plane, rows: Starts, columns: Starts, _side: float) -> FloatArray:
        return rng.standard_normal((len(rows) * len(columns), _RANDOM_WIDTH), np.float32)

    return feature


def thumbnail_feature(plane: Plane, rows: Starts, columns: Starts, side: float) -> FloatArray:
    """Shrink each window of the mean of the three channels to 16x16 pixels, minus its own mean."""
    grey = plane.image().mean(axis=0, keepdims=True, dtype=np.float32)
    small = shrink(grey, rows, columns, side, THUMBNAIL_SIDE).reshape(len(rows) * len(columns), -1)
    centred: FloatArray = small - small.mean(axis=1, keepdims=True)
    return centred


def shrink(image: FloatArray, rows: Starts, columns: Starts, side: float, pixels: int) -> FloatArray:
    """Shrink windows of an image (C, H, W) to squares, each pixel the mean of the area that it covers.

    Returns
    -------
    ndarray of float32, shape (R * S, C, pixels, pixels)
    """
    channels, height, width = image.shape
    stride = GRID.stride
    down = cover(np.asarray(rows, np.float64) * stride, side * stride, pixels, height)
    across = cover(np.asarray(columns, np.float64) * stride, side * stride, pixels, width)
    small = (down @ image @ across.T).reshape(channels, len(rows), pixels, len(columns), pixels)
    parts = np.ascontiguousarray(small.transpose(1, 3, 0, 2, 4), np.float32)
    return parts.reshape(-1, channels, pixels, pixels)


def cells_feature(plane: Plane, rows: Starts, columns: Starts, side: float) -> FloatArray:
    """Pool the backbone's map on 3x3 parts of each window, (R * S, C * 9)."""
    return _cells(plane.backbone_map, rows, columns, side)


def own_cells_feature(own: OwnMaps) -> WindowFeature:
    """Return :func:`cells_feature` on the maps of another backbone."""

    def feature(plane: Plane, rows: Starts, columns: Starts, side: float) -> FloatArray:
        return _cells(own(plane), rows, columns, side)

    return feature


def pooled_feature(plane: Plane, rows: Starts, columns: Starts, side: float) -> FloatArray:
    """Average the backbone's map over each window, (R * S, C)."""
    cells = cells_feature(plane, rows, columns, side)
    average: FloatArray = cells.reshape(len(cells), -1, PARTS * PARTS).mean(axis=2)
    return average


def global_feature(
    network: HmarNetwork, thresholds: ModalityThresholds = NO_THRESHOLDS, maps: OwnMaps | None = None
) -> WindowFeature:
    """Give every window the logits of its whole slice (Expert0): one distance for all windows of a slice.

    Thresholds are subtracted, so that a bit is 1 where what is left is above 0. ``maps`` are those of this
    network, where others use them too.
    """
    own = maps or OwnMaps(network)

    @torch.inference_mode()
    def feature(plane: Plane, rows: Starts, columns: Starts, _side: float) -> FloatArray:
        logits = network.global_expert(own(plane)[None])
        repeated: FloatArray = logits.expand(len(rows) * len(columns), -1).numpy()
        return repeated - thresholds.of(plane.frame.info.modality).frame

    return feature


def hmar_feature(
    network: HmarNetwork, thresholds: ModalityThresholds = NO_THRESHOLDS, maps: OwnMaps | None = None
) -> WindowFeature:
    """Return the logits of Expert1, one window at a time as they stand in an archive, minus thresholds.

    ``maps`` are those of this network, where others use them too.
    """
    own = maps or OwnMaps(network)

    @torch.inference_mode()
    def feature(plane: Plane, rows: Starts, columns: Starts, side: float) -> FloatArray:
        mapped = network.local_expert.map(own(plane)[None])[0]
        windows = pool(mapped, *_weights(mapped, rows, columns, side)).flatten(0, 1)
        logits: FloatArray = network.local_expert(windows).numpy()
        return logits - thresholds.of(plane.frame.info.modality).windows

    return feature


def crop_feature(backbone: nn.Module) -> WindowFeature:
    """Crop every window, shrink it to 48x48 pixels, and run the backbone on the crop alone.

    The map of 48 pixels has 3x3 cells: the features are as wide as those of :func:`cells_feature`.
    """

    @torch.inference_mode()
    def feature(plane: Plane, rows: Starts, columns: Starts, side: float) -> FloatArray:
        crops = torch.from_numpy(shrink(plane.image(), rows, columns, side, CROP_SIDE))
        maps = [
            backbone(batch.to(memory_format=torch.channels_last)).contiguous().flatten(1)
            for batch in torch.split(crops, _CROPS_AT_ONCE)
        ]
        described: FloatArray = torch.cat(maps).numpy()
        return described

    return feature


def _cells(feature_map: torch.Tensor, rows: Starts, columns: Starts, side: float) -> FloatArray:
    pooled: FloatArray = pool(feature_map, *_weights(feature_map, rows, columns, side)).flatten(0, 1).numpy()
    return pooled


def _weights(
    feature_map: torch.Tensor, rows: Starts, columns: Starts, side: float
) -> tuple[torch.Tensor, torch.Tensor]:
    h, w = feature_map.shape[1:]
    return torch.from_numpy(cover(rows, side, PARTS, h)), torch.from_numpy(cover(columns, side, PARTS, w))
