"""Queries with their first hits, right and wrong marked, as PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmark.report.labels import marked
from hmar.values.geometry import Box

SIDE = 150
CAPTION = 42
TITLE = 30
GAP = 8
HITS_SHOWN = 8
_BACKGROUND = (18, 20, 24)
_TEXT = (232, 232, 232)
_QUERY = (255, 200, 40)
_RIGHT = (80, 200, 120)
_WRONG = (240, 110, 90)
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One image of a montage.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns)
        Grey values as shown.
    caption : str
        Its class, say.
    box : Box or None
        Drawn over it, in pixels of the image.
    """

    pixels: NDArray[np.uint8]
    caption: str
    box: Box | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A hit, and whether it is relevant."""

    picture: Picture
    right: bool


@dataclass(frozen=True, slots=True, eq=False)
class Montage:
    """A query and its first hits, nearest first.

    Parameters
    ----------
    title : str
        Which peer, at which bits.
    query : Picture
    hits : tuple of Shown
        The first ``HITS_SHOWN`` are drawn.
    protocol : str
        Under which the gallery was made.
    """

    title: str
    query: Picture
    hits: tuple[Shown, ...]
    protocol: str = "clean"

    @property
    def heading(self) -> str:
        """The title with the protocol's mark."""
        return marked(self.title, self.protocol)

    @property
    def description(self) -> str:
        """What is to be seen, in words."""
        hits = [
            f"{rank} {hit.picture.caption} ({'right' if hit.right else 'wrong'})"
            for rank, hit in enumerate(self.hits[:HITS_SHOWN], start=1)
        ]
        return f"{self.heading}. Query: {self.query.caption}. Hits: {'; '.join(hits) or 'none'}."


def draw(montage: Montage) -> bytes:
    """Draw the query at the left and its hits beside it.

    Right and wrong are told by the colour of the frame, by a tick or a cross, and in words.

    Returns
    -------
    bytes
        A PNG file.
    """
    hits = montage.hits[:HITS_SHOWN]
    size = (GAP + (SIDE + GAP) * (1 + len(hits)), TITLE + SIDE + CAPTION + 2 * GAP)
    sheet = Image.new("RGB", size, _BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), _fitted(montage.heading, size[0] - 2 * GAP, 15), _TEXT, _font(15))
    _panel(sheet, montage.query, GAP, _QUERY, "query")
    for rank, hit in enumerate(hits, start=1):
        left = GAP + rank * (SIDE + GAP)
        colour = _RIGHT if hit.right else _WRONG
        _panel(sheet, hit.picture, left, colour, f"{rank}. {'right' if hit.right else 'wrong'}")
        _mark(pen, left + SIDE - 24, TITLE + GAP + 6, hit.right)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _panel(sheet: Image.Image, picture: Picture, left: int, colour: Colour, word: str) -> None:
    top = TITLE + GAP
    image = Image.fromarray(np.ascontiguousarray(picture.pixels, np.uint8))
    scale = SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    x, y = left + (SIDE - width) // 2, top + (SIDE - height) // 2
    sheet.paste(image.resize((width, height), Image.Resampling.BILINEAR), (x, y))
    pen = ImageDraw.Draw(sheet)
    if picture.box is not None:
        box = picture.box
        corner = (x + box.x * scale, y + box.y * scale)
        # A box of less than a pixel still shows as a dot.
        end = (corner[0] + max(1.0, box.width * scale), corner[1] + max(1.0, box.height * scale))
        pen.rectangle((corner, end), outline=colour, width=2)
    pen.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), outline=colour, width=3)
    pen.text((left, top + SIDE + 3), word, colour, _font(14))
    pen.text((left, top + SIDE + 22), _fitted(picture.caption, SIDE, 12), _TEXT, _font(12))


def _mark(pen: ImageDraw.ImageDraw, x: int, y: int, right: bool) -> None:
    """Draw a tick or a cross on a dark disc."""
    pen.ellipse((x, y, x + 18, y + 18), fill=_BACKGROUND)
    if right:
        pen.line((x + 4, y + 9, x + 8, y + 14, x + 14, y + 5), fill=_RIGHT, width=3)
    else:
        pen.line((x + 5, y + 5, x + 13, y + 13), fill=_WRONG, width=3)
        pen.line((x + 13, y + 5, x + 5, y + 13), fill=_WRONG, width=3)


def _fitted(text: str, width: int, size: int) -> str:
    """Cut a text until it fits; what the font cannot draw becomes a question mark."""
    plain = text.encode("latin-1", "replace").decode("latin-1").replace("\n", " ")
    if _font(size).getlength(plain) <= width:
        return plain
    while plain and _font(size).getlength(f"{plain}...") > width:
        plain = plain[:-1]
    return f"{plain}..."


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
