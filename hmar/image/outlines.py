"""Pictures made smaller, with boxes around places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from hmar.values.geometry import Box

Colour = tuple[int, int, int]
"""Red, green and blue from 0 to 255."""

ORANGE: Colour = (255, 176, 0)
"""It stands out from grey for the colour-blind too."""

LINE = 2
"""Width of a box's line in pixels of the picture."""


def outlined(
    picture: NDArray[np.uint8], boxes: Sequence[Box] = (), side: int | None = None
) -> NDArray[np.uint8]:
    """Return a grey picture in a size, with boxes drawn around places of it.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns)
    boxes : sequence of Box
        In pixels of ``picture``.
    side : int or None
        The longer side of what is returned, which keeps the ratio of both; a smaller picture stays as it is.

    Returns
    -------
    ndarray of uint8
        Shape (h, w), or (h, w, 3) where there are boxes.
    """
    image = Image.fromarray(picture)
    scale = 1.0 if side is None else min(1.0, side / max(image.size))
    if scale < 1:
        width, height = (max(1, round(length * scale)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    if boxes:
        image = image.convert("RGB")
        pen = ImageDraw.Draw(image)
        for box in boxes:
            draw_box(pen, box, scale, ORANGE)
    return np.asarray(image)


def draw_box(
    pen: ImageDraw.ImageDraw, box: Box, scale: float, colour: Colour, corner: tuple[int, int] = (0, 0)
) -> None:
    """Draw a box of a picture that was scaled and lies at a corner; one below a pixel shows as a dot."""
    x, y = corner[0] + box.x * scale, corner[1] + box.y * scale
    right, bottom = x + max(0.0, box.width * scale - 1), y + max(0.0, box.height * scale - 1)
    pen.rectangle((x, y, right, bottom), outline=colour, width=LINE)
