"""Frames as their files store them, and what the stored numbers mean: what a viewer needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hmar.values.frames import FrameInfo
from hmar.values.orientation import Cosines

StoredArray = NDArray[np.int16] | NDArray[np.uint16] | NDArray[np.uint8]
PixelType = Literal["int16", "uint16", "rgb8"]
WindowFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
"""How a display window makes grey (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""

MAX_WINDOWS = 16
"""Display windows that are told of a frame; a file may have thousands."""

SHADES = 65535
"""What white is where presentation values are given as whole numbers."""


class StoredUnits(StrEnum):
    """What ``stored * slope + intercept`` is."""

    HU = "HU"
    """Hounsfield units."""
    MODALITY = "modality"
    """Values of the modality, in no units that are known."""
    PRESENTATION = "presentation"
    """Display values from 0 (black) to 1 (white)."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the stored values of a frame mean, and how they are shown.

    Parameters
    ----------
    units : StoredUnits
        Of ``stored * slope + intercept``.
    slope, intercept : float
    units_note : str or None
        Why a rescaled CT is not in Hounsfield units, None elsewhere.
    inverted : bool
        Whether large values are dark.
    windows : tuple of (float, float)
        Centre and width of the file's display windows, up to ``MAX_WINDOWS``, in ``units``; the first is the
        one to begin with.
    window_function : str
    padding : tuple of int or None
        Least and largest stored value that stands for no pixel of the image.
    orientation : Cosines or None
        Directions of rows and columns in the patient, None where unknown.
    directions : tuple of str or None
        Where a row and where a column goes in the patient, as ("L", "P"); None where unknown.
    """

    units: StoredUnits
    slope: float = 1.0
    intercept: float = 0.0
    units_note: str | None = None
    inverted: bool = False
    windows: tuple[tuple[float, float], ...] = ()
    window_function: WindowFunction = "LINEAR"
    padding: tuple[int, int] | None = None
    orientation: Cosines | None = None
    directions: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StoredFrame:
    """One frame as its file stores it.

    Parameters
    ----------
    info : FrameInfo
        Its identity and geometry.
    values : ndarray of int16 or uint16, shape (rows, columns), or of uint8, shape (rows, columns, 3)
        Exactly what is stored; colour is red, green and blue.
    meaning : Meaning
    """

    info: FrameInfo
    values: StoredArray = field(repr=False)
    meaning: Meaning

    @property
    def type(self) -> PixelType:
        """Name of the type of a pixel."""
        return type_of(self.values)

    def to_bytes(self) -> bytes:
        """Return the values row by row, little-endian."""
        return self.values.astype(dtype_of(self.type), copy=False).tobytes()


def type_of(values: StoredArray) -> PixelType:
    """Return the name of the type of a pixel."""
    if values.dtype == np.uint8:
        return "rgb8"
    return "int16" if values.dtype.kind == "i" else "uint16"


def dtype_of(kind: PixelType) -> np.dtype[np.generic]:
    """Return the type of one number of a pixel, little-endian."""
    return np.dtype({"int16": "<i2", "uint16": "<u2", "rgb8": "u1"}[kind])


def shape_of(kind: PixelType, rows: int, columns: int) -> tuple[int, ...]:
    """Return the shape of a frame's values."""
    return (rows, columns, 3) if kind == "rgb8" else (rows, columns)
