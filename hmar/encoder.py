"""Frames to codes with the trained model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from threadpoolctl import threadpool_limits

from hmar.image.grid import Grid, channels, content, make_grid, resample
from hmar.image.regions import check_region
from hmar.image.windows import kept_windows, query_windows, spread_windows, window_box
from hmar.model.bundle import CONFIG
from hmar.model.serving.fusion import fusion_weights
from hmar.model.serving.model import ServedModel, load_served
from hmar.model.thresholds import ModalityThresholds
from hmar.values.codes import EncodedFrame, Query, WindowIds, pack_logits
from hmar.values.frames import FloatArray, Frame, FrameInfo
from hmar.values.geometry import Box


class HmarEncoder:
    """A :class:`hmar.ports.FrameEncoder`: one pass of the backbone, then every window from its feature map.

    Parameters
    ----------
    model : ServedModel
        The model. Build one with :meth:`load`.
    """

    def __init__(self, model: ServedModel) -> None:
        self._model = model
        self._info = model.info
        self._stride = model.info.grid.stride
        self.name = model.info.name
        self.fingerprint = model.info.fingerprint

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> HmarEncoder:
        """Load a model's folder; raises ModelError if it is missing, altered or of another format.

        ``threads`` are those of the backbone's runtime, and from here on of numpy's linear algebra in this
        process.
        """
        threadpool_limits(threads, user_api="blas")
        return cls(load_served(folder, threads))

    @property
    def thresholds(self) -> ModalityThresholds:
        """Where bits turn from 0 to 1."""
        return self._model.thresholds

    def logits(self, frame: Frame) -> tuple[FloatArray, FloatArray]:
        """Return the logits of a frame (128,) and of every window that shows something (W, 128)."""
        backbone_map, ids = self._read(frame)
        return self._model.global_logits(backbone_map), self._model.window_logits(backbone_map, ids)

    def encode(self, frame: Frame) -> EncodedFrame:
        """Encode a frame for the archive: its global code and every window that shows something."""
        backbone_map, ids = self._read(frame)
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
        backbone_map, ids = self._read(frame)
        spread = spread_windows(ids, self._info.windows)
        return self._query(frame.info, backbone_map, self._model.window_logits(backbone_map, spread))

    def region_query(self, frame: Frame, region: Box) -> Query:
        """Encode a region of a frame as a query of nine windows; raises RegionError if it lies outside.

        The first is centred on the region, the others are its neighbours a third of a side away: a place is
        recognised by its surroundings too, and one code is a noisy descriptor of it.
        """
        check_region(region, frame.info)
        backbone_map, _ = self._read(frame)
        windows = query_windows(region, self._layout(frame.info), self._stride, self._info.windows)
        return self._query(frame.info, backbone_map, self._model.region_logits(backbone_map, windows))

    def window_box(self, info: FrameInfo, window_id: int) -> Box:
        """Return the box of a window in source pixels, clipped to the frame."""
        grid = self._layout(info)
        return window_box(window_id, grid, info.rows, info.columns, self._stride, self._info.windows)

    def _layout(self, info: FrameInfo) -> Grid:
        return make_grid(info.rows, info.columns, info.spacing, self._info.grid, info.pixel_aspect)

    def _read(self, frame: Frame) -> tuple[FloatArray, WindowIds]:
        """Return the backbone's map (h, w, C) and the windows that show something."""
        grid = self._layout(frame.info)
        laid = replace(frame, values=resample(frame.values, grid))  # once, for windows and channels
        ids = kept_windows(content(laid, grid), grid, self._stride, self._info.windows)
        return self._model.map(channels(laid, grid)), ids

    def _query(self, info: FrameInfo, backbone_map: FloatArray, window_logits: FloatArray) -> Query:
        thresholds = self._model.thresholds.of(info.modality)
        return Query(
            pack_logits(self._model.global_logits(backbone_map), thresholds.frame),
            pack_logits(window_logits, thresholds.windows),
            fusion_weights(self._model.gate(backbone_map, info), len(window_logits)),
            self._model.typicality(backbone_map),
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
