"""Pictures side by side, each with its box, its words and a tick or a cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hmar.image.outlines import Colour, draw_box
from hmar.values.geometry import Box

YELLOW: Colour = (255, 200, 40)
CYAN: Colour = (64, 220, 255)
GREEN: Colour = (80, 200, 120)
RED: Colour = (240, 110, 90)

_BACKGROUND: Colour = (18, 20, 24)
_TEXT: Colour = (232, 232, 232)
_GAP = 8
_HEAD, _LINE, _TITLE = 16, 13, 16
_HEAD_TOP, _LINE_TOP, _CAPTION = 5, 27, 46
"""Where the lines of a caption begin below a picture, and the room that both take."""
_TITLE_ROOM = 30


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One picture of a montage.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns), or None
        Grey values as shown; None where the file is gone.
    head, line : str
        Below the picture, cut to its width.
    colour : tuple of int
        Of the edge, the box and the head.
    box : Box or None
        Drawn over it, in pixels of ``pixels``.
    relevant : bool or None
        Marked by a tick or a cross; by neither where it is None.
    """

    pixels: NDArray[np.uint8] | None
    head: str
    line: str
    colour: Colour
    box: Box | None = None
    relevant: bool | None = None


def montage(panels: Sequence[Panel], columns: int, side: int, title: str = "") -> Image.Image:
    """Lay panels out in rows, from the left and from the top.

    Parameters
    ----------
    panels : sequence of Panel
        At least one.
    columns : int
        Panels of a row, at most.
    side : int
        Length of a panel's square in pixels; pictures keep their aspect ratio.
    title : str
        Above them, if any.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    columns = min(columns, len(panels))
    top = _GAP + (_TITLE_ROOM if title else 0)
    width = _GAP + columns * (side + _GAP)
    height = top + ceil(len(panels) / columns) * (side + _CAPTION + _GAP)
    sheet = Image.new("RGB", (width, height), _BACKGROUND)
    if title:
        _write(ImageDraw.Draw(sheet), (_GAP, _GAP), title, width - 2 * _GAP, _TITLE, _TEXT)
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        _draw(sheet, panel, _GAP + column * (side + _GAP), top + row * (side + _CAPTION + _GAP), side)
    return sheet


def _draw(sheet: Image.Image, panel: Panel, left: int, top: int, side: int) -> None:
    pen = ImageDraw.Draw(sheet)
    if panel.pixels is None:
        pen.text((left + side / 2, top + side / 2), "the file is gone", _TEXT, _font(_LINE), anchor="mm")
    else:
        _draw_picture(sheet, panel.pixels, panel.box, panel.colour, left, top, side)
    pen.rectangle((left, top, left + side - 1, top + side - 1), outline=panel.colour, width=2)
    if panel.relevant is not None:
        _draw_mark(pen, left + side - 25, top + 7, panel.relevant)
    _write(pen, (left, top + side + _HEAD_TOP), panel.head, side, _HEAD, panel.colour)
    _write(pen, (left, top + side + _LINE_TOP), panel.line, side, _LINE, _TEXT)


def _draw_picture(
    sheet: Image.Image,
    pixels: NDArray[np.uint8],
    box: Box | None,
    colour: Colour,
    left: int,
    top: int,
    side: int,
) -> None:
    image = Image.fromarray(np.ascontiguousarray(pixels, np.uint8))
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    x, y = left + (side - width) // 2, top + (side - height) // 2
    sheet.paste(image.resize((width, height), Image.Resampling.BILINEAR), (x, y))
    if box is not None:
        draw_box(ImageDraw.Draw(sheet), box, scale, colour, (x, y))


def _draw_mark(pen: ImageDraw.ImageDraw, x: int, y: int, relevant: bool) -> None:
    """Draw a tick or a cross on a dark disc."""
    pen.ellipse((x, y, x + 18, y + 18), fill=_BACKGROUND)
    if relevant:
        pen.line((x + 4, y + 9, x + 8, y + 14, x + 14, y + 5), fill=GREEN, width=3)
    else:
        pen.line((x + 5, y + 5, x + 13, y + 13), fill=RED, width=3)
        pen.line((x + 13, y + 5, x + 5, y + 13), fill=RED, width=3)


def _write(
    pen: ImageDraw.ImageDraw, corner: tuple[int, int], text: str, width: int, size: int, colour: Colour
) -> None:
    pen.text(corner, _fitted(text, width, size), colour, _font(size))


def _fitted(text: str, width: int, size: int) -> str:
    """Cut a text until it fits; what the font cannot draw becomes a question mark."""
    plain = " ".join(text.encode("latin-1", "replace").decode("latin-1").split())
    if _font(size).getlength(plain) <= width:
        return plain
    while plain and _font(size).getlength(f"{plain}...") > width:
        plain = plain[:-1]
    return f"{plain}..."


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
