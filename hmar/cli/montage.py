"""A picture of a query and its hits, next to each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hmar.errors import ConfigError, HmarError
from hmar.image.montage import CYAN, YELLOW, Panel, montage
from hmar.image.raster import render
from hmar.values.frames import Frame
from hmar.values.geometry import Box
from hmar.values.hits import Hit
from hmar.wiring import Engine

COLUMNS, SIDE = 4, 300


def draw_montage(engine: Engine, query: Frame, region: Box | None, hits: Sequence[Hit], path: Path) -> None:
    """Draw the query and its hits with their boxes, ranks and distances, and write the picture.

    Raises
    ------
    ConfigError
        If the file cannot be written, or its suffix names no picture format.
    """
    what = "whole image" if region is None else "region " + ",".join(f"{value:.0f}" for value in region)
    panels = [Panel(render(query), "query", what, YELLOW, region)]
    panels += [_hit_panel(engine, hit) for hit in hits]
    try:
        montage(panels, COLUMNS, SIDE).save(path)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The montage cannot be written as {path.suffix or 'a file without suffix'!r}.",
            "Give a path that ends in .png, in a folder that may be written.",
        ) from error


def _hit_panel(engine: Engine, hit: Hit) -> Panel:
    info = hit.entry.info
    instance = "?" if info.instance_number is None else info.instance_number
    head = f"{hit.rank}.  distance {hit.distance:g} of {hit.bits} bits"
    line = f"{info.modality} instance {instance}, frame {info.frame_number}"
    try:
        return Panel(render(engine.frame(hit.entry)), head, line, CYAN, hit.box)
    except HmarError:
        return Panel(None, head, line, CYAN)
