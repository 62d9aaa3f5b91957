"""Frames to codes with the trained model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hmar.codes import pack_logits
from hmar.image.grid import Grid, channels, content, make_grid
from hmar.image.regions import check_region
from hmar.image.windows import (
    QueryWindows,
    cover,
    kept_windows,
    lattice,
    pack_window_id,
    query_windows,
    spread_windows,
    window_box,
)
from hmar.model.bundle import Bundle, load_bundle
from hmar.model.experts import PARTS, pool
from hmar.model.router import modality_index, region_index
from hmar.types import Box, CodeArray, EncodedFrame, Frame, FrameInfo, Query, WindowIds


class HmarEncoder:
    """A :class:`hmar.ports.FrameEncoder`: one pass of the trunk, then every window from its feature map.

    Parameters
    ----------
    bundle : Bundle
        The model. Build one with :meth:`load`.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._network = bundle.network
        self._stride = bundle.grid.stride
        self.name = bundle.name
        self.fingerprint = bundle.fingerprint

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> HmarEncoder:
        """Load a model's folder; raises ModelError if it is missing, altered or of another format."""
        torch.set_num_threads(threads)
        return cls(load_bundle(folder))

    @torch.inference_mode()
    def encode(self, frame: Frame) -> EncodedFrame:
        """Encode a frame for the archive: its global code and every window that shows something."""
        grid = self._layout(frame.info)
        trunk_map = self._trunk_map(frame, grid)
        ids = kept_windows(content(frame, grid), grid, self._stride, self._bundle.windows)
        return EncodedFrame(
            frame.info,
            self._global_code(trunk_map),
            self._window_codes(trunk_map, ids),
            ids,
            self._gate(trunk_map, frame.info),
            self.fingerprint,
        )

    @torch.inference_mode()
    def image_query(self, frame: Frame) -> Query:
        """Encode a frame as a query for the whole image: its global code and a spread of its windows."""
        grid = self._layout(frame.info)
        trunk_map = self._trunk_map(frame, grid)
        ids = kept_windows(content(frame, grid), grid, self._stride, self._bundle.windows)
        spread = spread_windows(ids, self._bundle.windows)
        return Query(
            self._global_code(trunk_map),
            self._window_codes(trunk_map, spread),
            self._gate(trunk_map, frame.info),
        )

    @torch.inference_mode()
    def region_query(self, frame: Frame, region: Box) -> Query:
        """Encode a region of a frame as a query of nine windows; raises RegionError if it lies outside.

        The first is centred on the region, the others are its neighbours a third of a side away: a place is
        known by what lies around it too, and one code is a noisy reading of it.
        """
        check_region(region, frame.info)
        grid = self._layout(frame.info)
        trunk_map = self._trunk_map(frame, grid)
        windows = query_windows(region, grid, self._stride, self._bundle.windows)
        return Query(
            self._global_code(trunk_map),
            self._region_codes(trunk_map, windows),
            self._gate(trunk_map, frame.info),
        )

    def window_box(self, info: FrameInfo, window_id: int) -> Box:
        """Return the box of a window in source pixels, clipped to the frame."""
        grid = self._layout(info)
        return window_box(window_id, grid, info.rows, info.columns, self._stride, self._bundle.windows)

    def _layout(self, info: FrameInfo) -> Grid:
        return make_grid(info.rows, info.columns, info.spacing, self._bundle.grid)

    def _trunk_map(self, frame: Frame, grid: Grid) -> Tensor:
        """Return the trunk's map (1, C, h, w)."""
        image = torch.from_numpy(channels(frame, grid))[None].to(memory_format=torch.channels_last)
        trunk_map: Tensor = self._network(image)
        return trunk_map

    def _global_code(self, trunk_map: Tensor) -> CodeArray:
        return pack_logits(self._network.global_expert(trunk_map)[0].numpy())

    def _gate(self, trunk_map: Tensor, info: FrameInfo) -> tuple[float, float]:
        modality, region = modality_index(info.modality), region_index(info.body_part)
        tags = [torch.tensor([-1 if index is None else index]) for index in (modality, region)]
        global_weight, local_weight = self._network.router(trunk_map, *tags).gate[0].tolist()
        return global_weight, local_weight

    def _window_codes(self, trunk_map: Tensor, ids: WindowIds) -> CodeArray:
        """Return the codes (W, 16) of windows of the lattice, in the order of their ids."""
        local = self._network.local_expert
        pooled_from = local.map(trunk_map)[0]  # (C, h, w)
        map_rows, map_columns = pooled_from.shape[1:]
        features, lattice_ids = [], []
        for size, (side, stride) in enumerate(
            zip(self._bundle.windows.cells, self._bundle.windows.strides, strict=True)
        ):
            rows, columns = lattice(map_rows, side, stride), lattice(map_columns, side, stride)
            weights = (cover(rows, side, PARTS, map_rows), cover(columns, side, PARTS, map_columns))
            features.append(pool(pooled_from, *map(torch.from_numpy, weights)).flatten(0, 1))
            row, column = np.meshgrid(rows, columns, indexing="ij")
            lattice_ids.append(pack_window_id(size, row.ravel(), column.ravel()))
        chosen = np.searchsorted(np.concatenate(lattice_ids), ids)  # ids ascend in size, row, column
        return pack_logits(local(torch.cat(features)[torch.from_numpy(chosen)]).numpy())

    def _region_codes(self, trunk_map: Tensor, windows: QueryWindows) -> CodeArray:
        """Return the codes (9, 16) of a region's windows, the centred one first."""
        pooled_from = self._network.local_expert.map(trunk_map)[0]
        weights = [
            torch.from_numpy(cover(starts, windows.side, PARTS, cells))
            for starts, cells in zip((windows.rows, windows.columns), pooled_from.shape[1:], strict=True)
        ]
        return pack_logits(self._network.local_expert(pool(pooled_from, *weights).flatten(0, 1)).numpy())


def shipped_bundle() -> Path:
    """Return the folder of the model that comes with the product: in the wheel, or beside the source."""
    packaged = Path(__file__).parent / "_models" / DEFAULT_MODEL
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "models" / DEFAULT_MODEL


DEFAULT_MODEL = "hmar-ct-128"
