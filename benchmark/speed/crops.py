"""The straightforward way to code windows: each is cropped and goes through the backbone alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hmar.image.grid import channels, make_grid
from hmar.image.windows import cover
from hmar.model.config import PARTS
from hmar.model.serving.model import ServedModel
from hmar.model.weights import Bundle
from hmar.values.codes import CODE_BITS, CodeArray, WindowIds, pack_logits
from hmar.values.frames import Frame
from hmar.values.window_ids import pack_window_id, unpack_window_id

NETWORK_SIDE = 224
"""Input of the published network, to which crops are usually resized."""

BATCH = 32


class ServedCrops:
    """Codes windows one by one in the runtime that serves: crop each, run the backbone on it.

    The frame is laid on its grid beforehand, which is not timed.

    Parameters
    ----------
    model : ServedModel
    frame : Frame
    ids : ndarray of uint32, shape (N,)
        The windows.
    """

    def __init__(self, model: ServedModel, frame: Frame, ids: WindowIds) -> None:
        self._model, self._ids = model, ids
        grid = make_grid(frame.info.rows, frame.info.columns, frame.info.spacing, model.info.grid)
        self._image = channels(frame, grid)
        self._thresholds = model.thresholds.of(frame.info.modality).windows

    def encode(self) -> CodeArray:
        """Return the codes, shape (N, 16), in the order of the ids."""
        return np.concatenate([self._code(window) for window in self._ids.tolist()])

    def _code(self, window: int) -> CodeArray:
        stride = self._model.info.grid.stride
        size, row, column = unpack_window_id(window)
        y, x, side = row * stride, column * stride, self._model.info.windows.cells[size] * stride
        backbone_map = self._model.map(np.ascontiguousarray(self._image[:, y : y + side, x : x + side]))
        only = np.array([pack_window_id(size, 0, 0)], np.uint32)  # the window that is the whole crop
        return pack_logits(self._model.window_logits(backbone_map, only), self._thresholds)


class CropEncoder:
    """Codes windows as crops in torch, crops of one size in a batch.

    The frame is laid on its grid beforehand, which is not timed.

    Parameters
    ----------
    bundle : Bundle
    frame : Frame
    ids : ndarray of uint32, shape (N,)
        The windows.
    side : int or None
        Crops are resized to this side in pixels; None keeps the grid's pitch, the cheapest.
    """

    def __init__(self, bundle: Bundle, frame: Frame, ids: WindowIds, side: int | None) -> None:
        self._bundle = bundle
        self._ids = ids
        self._side = side
        grid = make_grid(frame.info.rows, frame.info.columns, frame.info.spacing, bundle.info.grid)
        self._image = torch.from_numpy(channels(frame, grid))
        self._thresholds = bundle.thresholds.of(frame.info.modality).windows

    @torch.inference_mode()
    def encode(self) -> CodeArray:
        """Return the codes, shape (N, 16), in the order of the ids."""
        codes = np.empty((len(self._ids), CODE_BITS // 8), np.uint8)
        for rows, crops in self._batches():
            backbone_map = self._bundle.network(crops.to(memory_format=torch.channels_last))
            projected = self._bundle.network.local_expert.map(backbone_map)  # (B, C, s, s)
            cells = projected.shape[-1]
            weights = torch.from_numpy(cover(np.zeros(1), cells, PARTS, cells))
            pooled = (weights @ projected @ weights.T).flatten(1)  # (B, C * 9)
            codes[rows] = pack_logits(self._bundle.network.local_expert(pooled).numpy(), self._thresholds)
        return codes

    def _batches(self) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        stride = self._bundle.info.grid.stride
        places = np.array([unpack_window_id(int(window)) for window in self._ids])
        for size, cells in enumerate(self._bundle.info.windows.cells):
            rows = np.flatnonzero(places[:, 0] == size)
            for part in (rows[first : first + BATCH] for first in range(0, len(rows), BATCH)):
                corners = (places[part, 1:] * stride).tolist()
                side = cells * stride
                crops = torch.stack([self._image[:, y : y + side, x : x + side] for y, x in corners])
                yield part, self._resized(crops)

    def _resized(self, crops: Tensor) -> Tensor:
        if self._side is None:
            return crops
        return F.interpolate(crops, (self._side, self._side), mode="bilinear", align_corners=False)
