"""What may be asked of a picture: sizes, and how many boxes are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from hmar.errors import ParameterError, shown
from hmar.values.geometry import Box

PictureSize = Literal[64, 128, 256, 512, 1024]
"""The longer side of a thumbnail in pixels."""

PICTURE_SIZES: tuple[int, ...] = get_args(PictureSize)
MAX_BOXES = 16


def check_picture(size: int | None, boxes: Sequence[Box]) -> None:
    """Raise ParameterError for a size that there is not, and for too many boxes."""
    if size is not None and size not in PICTURE_SIZES:
        raise ParameterError(f"size is {shown(size)}.", f"Give one of {', '.join(map(str, PICTURE_SIZES))}.")
    if len(boxes) > MAX_BOXES:
        raise ParameterError(f"There are {len(boxes)} boxes.", f"Give at most {MAX_BOXES}.")
