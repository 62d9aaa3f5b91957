"""Frames to codes with the trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from hmar.image.grid import Grid, channels, content, make_grid, resample
from hmar.image.regions import check_region
from hmar.image.windows import (
    QueryWindows,
    cell_shares,
    region_windows,
    spread_windows,
    window_box,
    windows_of_shares,
)
from hmar.model.bundle import CONFIG
from hmar.model.serving.features import FrameFeatures
from hmar.model.serving.fusion import fusion_weights
from hmar.model.serving.maps import FrameMap, KeptMaps
from hmar.model.serving.model import ServedModel, load_served
from hmar.model.serving.references import References, kind_of
from hmar.model.serving.typicality import frame_summary, window_summaries
from hmar.model.thresholds import ModalityThresholds
from hmar.values.codes import EncodedFrame, Query, WindowIds, pack_logits
from hmar.values.frames import FloatArray, Frame, FrameInfo
from hmar.values.geometry import Box
from hmar.values.outline import Region


class _Read(NamedTuple):
    """A frame, its map (h, w, C), the windows that show something, and the share of each cell that does."""

    frame: Frame
    backbone_map: FloatArray
    ids: WindowIds
    shown: FloatArray


class HmarEncoder:
    """A :class:`hmar.ports.FrameEncoder`: one pass of the backbone, then every window from its feature map.

    Parameters
    ----------
    model : ServedModel
        The model. Build one with :meth:`load`.
    maps : KeptMaps or None
        Feature maps of frames that queries were made of; None keeps none.
    """

    def __init__(self, model: ServedModel, maps: KeptMaps | None = None) -> None:
        self._model = model
        self._maps = maps or KeptMaps(0)
        self._info = model.info
        self._stride = model.info.grid.stride
        self.name = model.info.name
        self.fingerprint = model.info.fingerprint

    @classmethod
    def load(
        cls, folder: Path, threads: int = 1, maps: KeptMaps | None = None, device: str = "cpu"
    ) -> HmarEncoder:
        """Load a model's folder; raises ModelError if it is missing, altered or of another format.

        ``threads`` are those of the backbone's runtime, and from here on of numpy's linear algebra in this
        process. ``maps`` keeps feature maps of frames that queries were made of. ``device`` is where frames
        are encoded, "cpu" or "cuda"; raises ConfigError where that cannot be.
        """
        threadpool_limits(threads, user_api="blas")
        return cls(load_served(folder, threads, device), maps)

    @property
    def thresholds(self) -> ModalityThresholds:
        """Where bits turn from 0 to 1."""
        return self._model.thresholds

    @property
    def references(self) -> References:
        """What typicality is measured from."""
        return self._model.references

    @property
    def window_sides(self) -> tuple[int, ...]:
        """Sides of the archive's windows in cells."""
        return self._info.windows.cells

    def features(self, frame: Frame) -> FrameFeatures:
        """Return what thresholds and references are fitted to."""
        read = self._read(frame)
        backbone_map, ids = read.backbone_map, read.ids
        return FrameFeatures(
            kind_of(frame.units, frame.info.modality),
            self._model.global_logits(backbone_map),
            self._model.window_logits(backbone_map, ids),
            frame_summary(backbone_map, read.shown),
            window_summaries(backbone_map, ids, self._info.windows),
            ids,
        )

    def encode(self, frame: Frame) -> EncodedFrame:
        """Encode a frame for the archive: its global code and every window that shows something."""
        read = self._read(frame)
        backbone_map, ids = read.backbone_map, read.ids
        thresholds = self._model.thresholds.of(frame.info.modality)
        return EncodedFrame(
            frame.info,
            pack_logits(self._model.global_logits(backbone_map), thresholds.frame),
            pack_logits(self._model.window_logits(backbone_map, ids), thresholds.windows),
            ids,
            self._model.gate(backbone_map, frame.info),
            self.fingerprint,
        )

    def image_query(self, frame: Frame) -> Query:
        """Encode a frame as a query for the whole image: its global code and a spread of its windows."""
        return self.queries(frame, [()])[0]

    def region_query(self, frame: Frame, region: Region) -> Query:
        """Encode a region of a frame as a query of nine windows; raises RegionError if it lies outside.

        The first is centred on a box, the others are its neighbours a third of a side away: a place is
        recognised by its surroundings too, and one code is a noisy descriptor of it. For an outline they are
        the nine that show most of it.
        """
        return self.queries(frame, [(region,)])[0]

    def queries(self, frame: Frame, asked: Sequence[Sequence[Region]]) -> list[Query]:
        """Encode a frame once as several queries, each for all of its regions, or for the whole image.

        Raises
        ------
        RegionError
            If any region lies outside the frame.
        """
        for region in chain.from_iterable(asked):
            check_region(region, frame.info)
        read = self._seen(frame)
        return [self._of_regions(read, regions) if regions else self._of_image(read) for regions in asked]

    def _of_image(self, read: _Read) -> Query:
        logits = self._model.window_logits(read.backbone_map, self.spread(read.ids))
        return self._query(read, logits, self._typicality(read))

    def _of_regions(self, read: _Read, regions: Sequence[Region]) -> Query:
        grid = self._layout(read.frame.info)
        windows = [region_windows(region, grid, self._stride, self._info.windows) for region in regions]
        logits = [self._model.region_logits(read.backbone_map, each) for each in windows]
        known = tuple(self._typicality(read, each) for each in windows)
        least = min((each for each in known if each is not None), default=None)
        return self._query(read, np.concatenate(logits), least, known)

    def _typicality(self, read: _Read, windows: QueryWindows | None = None) -> float | None:
        return self._model.typicality(read.backbone_map, read.shown, read.frame, windows)

    def spread(self, window_ids: WindowIds) -> WindowIds:
        """Return the largest of a frame's windows that do not overlap one another."""
        return spread_windows(window_ids, self._info.windows)

    def window_box(self, info: FrameInfo, window_id: int) -> Box:
        """Return the box of a window in source pixels, clipped to the frame."""
        grid = self._layout(info)
        return window_box(window_id, grid, info.rows, info.columns, self._stride, self._info.windows)

    def _layout(self, info: FrameInfo) -> Grid:
        return make_grid(info.rows, info.columns, info.spacing, self._info.grid, info.pixel_aspect)

    def _read(self, frame: Frame) -> _Read:
        return _Read(frame, *self._map(frame))

    def _seen(self, frame: Frame) -> _Read:
        """Read a frame that others may be asking about, or will again."""
        return _Read(frame, *self._maps.of(self.fingerprint, frame, self._map))

    def _map(self, frame: Frame) -> FrameMap:
        grid = self._layout(frame.info)
        laid = replace(frame, values=resample(frame.values, grid))  # once, for windows and channels
        shown = cell_shares(content(laid, grid), self._stride)
        ids = windows_of_shares(shown, self._info.windows)
        return FrameMap(self._model.map(channels(laid, grid)), ids, shown)

    def _query(
        self,
        read: _Read,
        window_logits: FloatArray,
        typicality: float | None,
        region_typicality: tuple[float | None, ...] = (),
    ) -> Query:
        info, backbone_map = read.frame.info, read.backbone_map
        thresholds = self._model.thresholds.of(info.modality)
        return Query(
            pack_logits(self._model.global_logits(backbone_map), thresholds.frame),
            pack_logits(window_logits, thresholds.windows),
            fusion_weights(self._model.gate(backbone_map, info), len(window_logits)),
            typicality,
            region_typicality,
        )


def shipped_bundle() -> Path:
    """Return the folder of the model that comes with the product: in the wheel, or beside the source."""
    return _shipped() / DEFAULT_MODEL


def shipped_models() -> dict[str, Path]:
    """Return the folders of all models that come with the product, by name."""
    return {path.name: path for path in sorted(_shipped().iterdir()) if (path / CONFIG).is_file()}


def _shipped() -> Path:
    packaged = Path(__file__).parent / "_models"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "models"


DEFAULT_MODEL = "hmar-ct-128"
