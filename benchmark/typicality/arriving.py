"""The ways in which an image reaches the product: as a picture, as a slice, or within a slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from benchmark.typicality.images.odd import Grey
from hmar.decoding.limits import MAX_FRAME_PIXELS
from hmar.image.raster import png, read_raster
from hmar.training.typicality.gathering import picture_of
from hmar.values.frames import FloatArray, Frame, Units
from hmar.values.geometry import Box, Spacing

FIELD_MM = 360.0
"""Longer side of an image that arrives as a slice."""
PATCH_MM = 96.0
"""Side of an image within a slice, where the slice is more than twice as large."""
_DARKEST_HU, _RANGE_HU = -1000.0, 2000.0


def as_picture(image: Grey | Frame) -> Frame:
    """Return an image (rows, columns), or a slice as it is displayed, as a PNG is decoded."""
    if isinstance(image, Frame):
        return picture_of(image)
    return read_raster(png(image), MAX_FRAME_PIXELS).frame(1)


def as_slice(image: Grey, like: Frame) -> Frame:
    """Return an image (rows, columns) as a slice of 360 mm, in the units of another slice.

    In Hounsfield units black is -1000 and white 1000.
    """
    rows, columns = image.shape
    pitch = FIELD_MM / max(rows, columns)
    info = replace(like.info, rows=rows, columns=columns, spacing=Spacing(pitch, pitch), pixel_aspect=None)
    return Frame(info, _valued(image, like.units), like.units)


def within(image: Grey, frame: Frame) -> tuple[Frame, Box]:
    """Return a slice whose middle shows an image (rows, columns), and where that is.

    The patch is a square of 96 mm (a quarter of the slice's shorter side where its spacing is unknown), but
    at most half of that side.
    """
    rows, columns = frame.values.shape
    down = across = min(rows, columns) / 4
    if frame.spacing is not None:
        down, across = PATCH_MM / frame.spacing.row_mm, PATCH_MM / frame.spacing.column_mm
    height, width = (round(min(side, min(rows, columns) / 2)) for side in (down, across))
    top, left = (rows - height) // 2, (columns - width) // 2
    fitted = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    values = frame.values.copy()
    values[top : top + height, left : left + width] = _valued(np.asarray(fitted), frame.units)
    return replace(frame, values=values), Box(left, top, width, height)


def _valued(image: Grey, units: Units) -> FloatArray:
    values = image.astype(np.float32) / 255
    valued = values * _RANGE_HU + _DARKEST_HU if units is Units.HU else values
    return np.ascontiguousarray(valued, np.float32)
