"""An image that shows nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""Pixels (rows, columns), 0 (black) to 255 (white)."""


@dataclass(frozen=True, slots=True, eq=False)
class OddImage:
    """An image that shows nobody.

    Parameters
    ----------
    group : str
        "noise", "text" or "photographs".
    kind : str
        Within the group; for photographs their name.
    values : ndarray of uint8, shape (rows, columns)
        0 (black) to 255 (white).
    """

    group: str
    kind: str
    values: Grey
