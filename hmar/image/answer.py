"""A query and its hits as panels of a montage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hmar.image.montage import CYAN, YELLOW, Panel
from hmar.values.geometry import Box
from hmar.values.hits import Hit


def query_panels(pixels: NDArray[np.uint8], regions: Sequence[Box]) -> list[Panel]:
    """Return a query, once for each of its regions; once where it has none.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns)
        Grey values as shown.
    regions : sequence of Box
        In pixels of the query.
    """
    return [Panel(pixels, "query", _said(region), YELLOW, region) for region in regions or (None,)]


def hit_panel(hit: Hit, pixels: NDArray[np.uint8] | None) -> Panel:
    """Return a hit with its box, rank and distance; ``pixels`` is None where its file is gone."""
    info = hit.entry.info
    instance = "?" if info.instance_number is None else info.instance_number
    head = f"{hit.rank}.  distance {hit.distance:g} of {hit.bits} bits"
    line = f"{info.modality} instance {instance}, frame {info.frame_number}"
    return Panel(pixels, head, line, CYAN, None if pixels is None else hit.box)


def _said(region: Box | None) -> str:
    return "whole image" if region is None else "region " + ",".join(f"{value:.0f}" for value in region)
