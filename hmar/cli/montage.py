"""A picture of a query and its hits, next to each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hmar.cli.pictures import Grey, Pictures
from hmar.errors import ConfigError, HmarError
from hmar.image.answer import hit_panel, query_panels
from hmar.image.montage import montage
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
    panels = query_panels(pictures.query(), regions)
    panels += [hit_panel(hit, _shown(pictures, hit)) for hit in hits]
    try:
        montage(panels, COLUMNS, SIDE).save(path)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The montage cannot be written as {path.suffix or 'a file without suffix'!r}.",
            "Give a path that ends in .png, in a folder that may be written.",
        ) from error


def _shown(pictures: Pictures, hit: Hit) -> Grey | None:
    try:
        return pictures.hit(hit)
    except HmarError:
        return None
