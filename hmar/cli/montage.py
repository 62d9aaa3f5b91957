"""A picture of a query and its hits, next to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from hmar.errors import ConfigError, HmarError
from hmar.image.raster import render
from hmar.values.frames import Frame
from hmar.values.geometry import Box
from hmar.values.hits import Hit
from hmar.wiring import Engine

SIDE = 300
CAPTION = 46
GAP = 8
COLUMNS = 4
BACKGROUND = (16, 18, 22)
TEXT = (235, 235, 235)
QUERY_COLOUR = (255, 196, 0)
HIT_COLOUR = (64, 220, 255)
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of a montage.

    Parameters
    ----------
    frame : Frame or None
        None where the file is gone.
    box : Box or None
        Drawn over it, in source pixels.
    caption : tuple of str
        Two lines.
    colour : tuple of int
        Of the box, red, green and blue from 0 to 255.
    """

    frame: Frame | None
    box: Box | None
    caption: tuple[str, str]
    colour: Colour


def draw_montage(engine: Engine, query: Frame, region: Box | None, hits: Sequence[Hit], path: Path) -> None:
    """Draw the query and its hits with their boxes, ranks and distances, and write the picture.

    Raises
    ------
    ConfigError
        If the file cannot be written, or its suffix names no picture format.
    """
    what = "whole image" if region is None else "region " + ",".join(f"{value:.0f}" for value in region)
    panels = [Panel(query, region, ("query", what), QUERY_COLOUR)]
    panels += [_hit_panel(engine, hit) for hit in hits]
    picture = montage(panels)
    try:
        picture.save(path)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The montage cannot be written as {path.suffix or 'a file without suffix'!r}.",
            "Give a path that ends in .png, in a folder that may be written.",
        ) from error


def montage(panels: Sequence[Panel]) -> Image.Image:
    """Lay panels out in rows of COLUMNS; return an RGB picture."""
    columns = min(COLUMNS, len(panels))
    rows = ceil(len(panels) / columns)
    size = (columns * (SIDE + GAP) + GAP, rows * (SIDE + CAPTION + GAP) + GAP)
    picture = Image.new("RGB", size, BACKGROUND)
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        _draw(picture, panel, GAP + column * (SIDE + GAP), GAP + row * (SIDE + CAPTION + GAP))
    return picture


def _hit_panel(engine: Engine, hit: Hit) -> Panel:
    info = hit.entry.info
    instance = "?" if info.instance_number is None else info.instance_number
    caption = (
        f"{hit.rank}.  distance {hit.distance:g} of {hit.bits} bits",
        f"{info.modality} instance {instance}, frame {info.frame_number}",
    )
    try:
        return Panel(engine.frame(hit.entry), hit.box, caption, HIT_COLOUR)
    except HmarError:
        return Panel(None, None, caption, HIT_COLOUR)


def _draw(picture: Image.Image, panel: Panel, left: int, top: int) -> None:
    pen = ImageDraw.Draw(picture)
    if panel.frame is None:
        pen.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), outline=TEXT)
        pen.text((left + SIDE / 2, top + SIDE / 2), "the file is gone", TEXT, _font(15), anchor="mm")
    else:
        shown = Image.fromarray(render(panel.frame))
        scale = SIDE / max(shown.size)
        width, height = (max(1, round(side * scale)) for side in shown.size)
        x, y = left + (SIDE - width) // 2, top + (SIDE - height) // 2
        picture.paste(shown.resize((width, height), Image.Resampling.BILINEAR), (x, y))
        if panel.box is not None:
            _draw_box(pen, panel.box, scale, x, y, panel.colour)
    pen.text((left, top + SIDE + 4), panel.caption[0], panel.colour, _font(17))
    pen.text((left, top + SIDE + 25), panel.caption[1], TEXT, _font(14))


def _draw_box(pen: ImageDraw.ImageDraw, box: Box, scale: float, x: int, y: int, colour: Colour) -> None:
    corners = (
        x + box.x * scale,
        y + box.y * scale,
        x + (box.x + box.width) * scale - 1,
        y + (box.y + box.height) * scale - 1,
    )
    # A region of less than a pixel of the picture still shows as a dot.
    right, bottom = max(corners[0], corners[2]), max(corners[1], corners[3])
    pen.rectangle((corners[0], corners[1], right, bottom), outline=colour, width=2)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
