"""From a frame to the input of the frozen backbone: the frame, stretched to a square."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hmar.image.grid import Grid, channels
from hmar.values.frames import Frame

SIDE = 224
THUMBNAIL_SIDE = 32


def square(frame: Frame) -> NDArray[np.float32]:
    """Resize a frame to 224x224 pixels, whatever its proportions, as published work on such data sets does.

    RadImageNet's pictures are squares already; the pixel spacing is ignored, since most pictures have none.

    Returns
    -------
    ndarray of float32, shape (3, 224, 224)
        Values from 0 to 1: the three HU display windows for Hounsfield units, else the grey values three
        times.
    """
    rows, columns = frame.info.rows, frame.info.columns
    return channels(frame, Grid(SIDE, SIDE, SIDE, SIDE, SIDE / rows, SIDE / columns))


def thumbnail(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shrink a square image (3, H, W) of values from 0 to 1 to 32x32 grey pixels, row by row: (1024,)."""
    grey = Image.fromarray(np.ascontiguousarray(image.mean(axis=0)))
    small = grey.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small, dtype=np.float32).ravel()
