"""A baseline encoder without learning: thumbnails hashed by random hyperplanes.

Every window (and the whole frame) is shrunk to 32x32 pixels, its mean is taken off, and each bit is the
side of one of 128 fixed random hyperplanes on which it lies (Charikar, STOC 2002). Whatever is trained must
beat this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain

import numpy as np
from PIL import Image

from hmar.image.grid import Grid, GridConfig, channels, content, make_grid
from hmar.image.regions import check_region
from hmar.image.windows import WindowConfig, kept_windows, region_windows, spread_windows, window_box
from hmar.values.codes import CODE_BITS, CodeArray, EncodedFrame, Query, WindowIds, pack_logits
from hmar.values.frames import FloatArray, Frame, FrameInfo
from hmar.values.geometry import Box
from hmar.values.outline import Region
from hmar.values.window_ids import unpack_window_id

_SIDE = 32


class ThumbnailEncoder:
    """A :class:`hmar.ports.FrameEncoder` of thumbnail codes, on the same grid and windows as the model."""

    name = "thumbnail-32"

    def __init__(self) -> None:
        self._grid = GridConfig()
        self._windows = WindowConfig()
        planes = np.random.default_rng(20260101).standard_normal((_SIDE * _SIDE, CODE_BITS))
        self._planes = planes.astype(np.float32)
        known = self._planes.tobytes() + repr((self._grid, self._windows)).encode()
        self.fingerprint = hashlib.sha256(known).hexdigest()[:32]

    def encode(self, frame: Frame) -> EncodedFrame:
        """Encode a frame and all its windows."""
        grid = self._layout(frame.info)
        image, ids = _grey(frame, grid), self._window_ids(frame, grid)
        codes = self._hash(np.stack([_whole(image), *self._crops(image, ids)]))
        return EncodedFrame(frame.info, codes[0], codes[1:], ids, (0.5, 0.5), self.fingerprint)

    def image_query(self, frame: Frame) -> Query:
        """Encode a frame as a query for the whole image."""
        return self.queries(frame, [()])[0]

    def region_query(self, frame: Frame, region: Region) -> Query:
        """Encode a region of a frame."""
        return self.queries(frame, [(region,)])[0]

    def queries(self, frame: Frame, asked: Sequence[Sequence[Region]]) -> list[Query]:
        """Encode a frame as several queries, each for all of its regions, or for the whole image."""
        for region in chain.from_iterable(asked):
            check_region(region, frame.info)
        grid = self._layout(frame.info)
        image = _grey(frame, grid)
        whole = self._hash(_whole(image)[None])
        return [
            Query(
                whole[0],
                np.concatenate(
                    [self._region_codes(image, grid, region) for region in regions]
                    or [self._spread_codes(frame, image, grid)]
                ),
                (0.5, 0.5),
                region_typicality=(None,) * len(regions),
            )
            for regions in asked
        ]

    def _region_codes(self, image: Image.Image, grid: Grid, region: Region) -> CodeArray:
        stride = self._grid.stride
        # As small as the region, windows find 0.8 slices of the demo's nodule; of full size, 2.4.
        windows = region_windows(region, grid, stride, self._windows, least_share=1.0)
        side = windows.side * stride
        crops = [
            _thumbnail(image, Box(column * stride, row * stride, side, side))
            for row, column in windows.corners
        ]
        return self._hash(np.stack(crops))

    def _spread_codes(self, frame: Frame, image: Image.Image, grid: Grid) -> CodeArray:
        spread = self._crops(image, self.spread(self._window_ids(frame, grid)))
        return self._hash(np.stack(spread or [_whole(image)]))

    def spread(self, window_ids: WindowIds) -> WindowIds:
        """Return the largest of a frame's windows that do not overlap one another."""
        return spread_windows(window_ids, self._windows)

    def window_box(self, info: FrameInfo, window_id: int) -> Box:
        """Return the box of a window in source pixels."""
        return window_box(
            window_id, self._layout(info), info.rows, info.columns, self._grid.stride, self._windows
        )

    def _window_ids(self, frame: Frame, grid: Grid) -> WindowIds:
        return kept_windows(content(frame, grid), self._grid.stride, self._windows)

    def _crops(self, image: Image.Image, ids: WindowIds) -> list[FloatArray]:
        """Return the thumbnails of windows."""
        stride, crops = self._grid.stride, []
        for window_id in ids.tolist():
            size, row, column = unpack_window_id(window_id)
            side = self._windows.cells[size] * stride
            crops.append(_thumbnail(image, Box(column * stride, row * stride, side, side)))
        return crops

    def _layout(self, info: FrameInfo) -> Grid:
        return make_grid(info.rows, info.columns, info.spacing, self._grid, info.pixel_aspect)

    def _hash(self, thumbnails: FloatArray) -> CodeArray:
        flat = thumbnails.reshape(len(thumbnails), -1)
        return pack_logits((flat - flat.mean(axis=1, keepdims=True)) @ self._planes)


def _grey(frame: Frame, grid: Grid) -> Image.Image:
    return Image.fromarray(channels(frame, grid).mean(axis=0, dtype=np.float32))


def _whole(image: Image.Image) -> FloatArray:
    return _thumbnail(image, Box(0, 0, image.width, image.height))


def _thumbnail(image: Image.Image, box: Box) -> FloatArray:
    left, top = max(0.0, box.x), max(0.0, box.y)
    right = min(float(image.width), box.x + box.width)
    bottom = min(float(image.height), box.y + box.height)
    shrunk = image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    return np.asarray(shrunk, dtype=np.float32)
