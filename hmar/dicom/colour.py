"""Colour to luminance: RGB, YBR and palettes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import convert_color_space

from hmar.dicom.header import integer
from hmar.dicom.lut import byte_order, read_lut, white_of
from hmar.dicom.stream import Colour, Kind, StreamHeader

# ITU-R BT.601 luma, the Y of DICOM's YBR_FULL (PS3.3 C.7.6.3.1.2).
_LUMA = np.array([0.299, 0.587, 0.114])
_YBR = ("YBR_FULL", "YBR_FULL_422")


def colour_space(photometric: str, stream: StreamHeader | None) -> str:
    """Return the colour space of decoded samples: the stream's own word, else the data set's.

    The component transform of JPEG 2000 (YBR_ICT, YBR_RCT) is undone by its decoder.
    """
    if stream is None:
        return photometric
    if stream.kind in (Kind.JPEG_2000, Kind.HTJ2K):
        return "RGB" if photometric in ("YBR_ICT", "YBR_RCT") else photometric
    if stream.colour is Colour.RGB:
        return "RGB"
    return "YBR_FULL" if stream.colour is Colour.YCBCR and photometric not in _YBR else photometric


def as_rgb(samples: NDArray[np.uint8], space: str) -> NDArray[np.uint8]:
    """Return red, green and blue of 8-bit samples, shape (rows, columns, 3)."""
    if space not in _YBR:
        return samples
    return np.asarray(convert_color_space(samples, "YBR_FULL", "RGB"), np.uint8)


def luminance(samples: NDArray[Any], space: str, bits_stored: int) -> NDArray[np.float64]:
    """Return the luminance, 0 to 1, of samples of shape (rows, columns, 3)."""
    white = 2**bits_stored - 1
    if space in _YBR and samples.dtype == np.uint8:
        samples = as_rgb(samples, space)
    elif space in _YBR:
        return np.asarray(samples[..., 0] / white).clip(0, 1)
    return np.asarray((samples @ (_LUMA / white)).clip(0, 1))


def palette_luminance(stored: NDArray[Any], dataset: Dataset) -> NDArray[np.float64]:
    """Return the luminance, 0 to 1, of the palette's colours for stored values."""
    signed, order = integer(dataset, "PixelRepresentation") == 1, byte_order(dataset)
    luts = [
        read_lut(
            dataset,
            f"{colour}PaletteColorLookupTable",
            f"{colour.lower()} palette",
            signed=signed,
            order=order,
        )
        for colour in ("Red", "Green", "Blue")
    ]
    weights, one = _LUMA / white_of(luts), luts[0]
    if all(lut.first == one.first and len(lut.entries) == len(one.entries) for lut in luts):
        shades = np.stack([lut.entries for lut in luts], axis=-1) @ weights
        return one.look_up(stored, np.asarray(shades, np.float64).clip(0, 1))
    shown = [lut.look_up(stored, lut.entries * weight) for lut, weight in zip(luts, weights, strict=True)]
    return np.asarray(np.sum(shown, axis=0), np.float64).clip(0, 1)
