"""A map of distances laid over a picture, for eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hmar.image.outlines import ORANGE
from hmar.values.codes import Bits

STRONGEST = 0.6
"""How much of the picture's grey the nearest place covers."""

_NEAR = np.array(ORANGE, np.float64)


def overlay(picture: NDArray[np.uint8], distances: NDArray[np.float64], bits: Bits) -> NDArray[np.uint8]:
    """Return a grey picture with near places coloured.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns)
    distances : ndarray of float64, shape (h, w)
        Of equal parts of the picture; NaN where nothing is known.
    bits : int
        Code length. Half of it, where codes have nothing in common, has no colour; 0 has the most.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
    """
    near = np.clip(1 - 2 * np.where(np.isnan(distances), bits / 2, distances) / bits, 0, 1)
    rows, columns = picture.shape
    shown = Image.fromarray(near.astype(np.float32)).resize((columns, rows), Image.Resampling.BILINEAR)
    strength = STRONGEST * np.asarray(shown, np.float64)[..., None]
    mixed: NDArray[np.uint8] = np.rint((1 - strength) * picture[..., None] + strength * _NEAR).astype(
        np.uint8
    )
    return mixed
