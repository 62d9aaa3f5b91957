"""Images that have their own number painted in, so that a test knows by the pixels which one is shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import CTImageStorage

from tests.hmar.dicom.build import image

CELLS, CELL = 4, 16
SIDE = CELLS * CELL
MARK = (1, 0, 1)
"""The first cells of each image; the others are the bits of its number, the highest first."""
BLACK_HU, WHITE_HU = -1000, 3000
"""Dark and white through every display window that the page offers."""


def painted(number: int) -> NDArray[np.int16]:
    """Return Hounsfield units of shape (SIDE, SIDE)."""
    bits = (*MARK, *(number >> place & 1 for place in reversed(range(CELLS * CELLS - len(MARK)))))
    cells = np.where(np.array(bits).reshape(CELLS, CELLS) > 0, WHITE_HU, BLACK_HU)
    return np.kron(cells, np.ones((CELL, CELL))).astype(np.int16)


def painted_ct(number: int, series: int, place: int) -> bytes:
    """Return a slice of a series as a file; ``place`` is its number in the series, from 1."""
    return image(
        painted(number),
        SOPClassUID=CTImageStorage,
        Modality="CT",
        RescaleSlope=1,
        RescaleIntercept=0,
        WindowCenter=0,
        WindowWidth=400,
        SOPInstanceUID=sop_uid(series, place),
        SeriesInstanceUID=series_uid(series),
        StudyInstanceUID=f"1.2.9.{series}",
        InstanceNumber=place,
        PixelSpacing=[1, 1],
        ImagePositionPatient=[0, 0, -place],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
    )


def painted_loop(numbers: list[int]) -> bytes:
    """Return a file of several frames."""
    frames = np.stack([painted(number) > 0 for number in numbers]).astype(np.uint8) * 255
    return image(frames, Modality="US")


def series_uid(series: int) -> str:
    return f"1.2.8.{series}"


def sop_uid(series: int, place: int) -> str:
    return f"1.2.8.{series}.{place}"
