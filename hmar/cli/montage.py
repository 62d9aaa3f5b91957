"""A picture of a query and its hits, next to each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hmar.cli.pictures import Pictures
from hmar.errors import ConfigError, HmarError
from hmar.image.montage import CYAN, YELLOW, Panel, montage
from hmar.values.geometry import Box
from hmar.values.hits import Hit

COLUMNS, SIDE = 4, 300


def draw_montage(pictures: Pictures, regions: Sequence[Box], hits: Sequence[Hit], path: Path) -> None:
    """Draw the query and its hits with their boxes, ranks and distances, and write the picture.

    A query for several regions is drawn once for each.

    Raises
    ------
    ConfigError
        If the file cannot be written, or its suffix names no picture format.
    """
    query = pictures.query()
    panels = [Panel(query, "query", _said(region), YELLOW, region) for region in regions or (None,)]
    panels += [_hit_panel(pictures, hit) for hit in hits]
    try:
        montage(panels, COLUMNS, SIDE).save(path)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The montage cannot be written as {path.suffix or 'a file without suffix'!r}.",
            "Give a path that ends in .png, in a folder that may be written.",
        ) from error


def _said(region: Box | None) -> str:
    return "whole image" if region is None else "region " + ",".join(f"{value:.0f}" for value in region)


def _hit_panel(pictures: Pictures, hit: Hit) -> Panel:
    info = hit.entry.info
    instance = "?" if info.instance_number is None else info.instance_number
    head = f"{hit.rank}.  distance {hit.distance:g} of {hit.bits} bits"
    line = f"{info.modality} instance {instance}, frame {info.frame_number}"
    try:
        return Panel(pictures.hit(hit), head, line, CYAN, hit.box)
    except HmarError:
        return Panel(None, head, line, CYAN)
