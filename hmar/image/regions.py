"""The region that a reader boxes, checked once at the border."""

from __future__ import annotations

from hmar.errors import RegionError
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Box
from hmar.values.outline import Outline, Region

ROUNDING_PX = 1e-4
"""Answers round boxes: one that ends at the image's edge may lie this far outside when it comes back."""


def check_region(region: Region, info: FrameInfo) -> None:
    """Raise RegionError unless a region has an area and lies inside its frame."""
    if isinstance(region, Outline):
        _check_outline(region, info)
    else:
        check_box(region, info, "region")


def _check_outline(outline: Outline, info: FrameInfo) -> None:
    check_box(outline.box, info, "box around the outline")
    if outline.area < 1:
        raise RegionError(
            f"The outline of {len(outline.points)} points has no area.", "Enclose at least one pixel."
        )


def check_box(box: Box, info: FrameInfo, name: str) -> None:
    """Raise RegionError, which calls the box by a name, unless it has an area and lies inside its frame."""
    inside = box.x >= 0 and box.y >= 0
    inside = inside and box.x + box.width <= info.columns + ROUNDING_PX
    inside = inside and box.y + box.height <= info.rows + ROUNDING_PX
    given = ",".join(f"{value:g}" for value in box)
    if box.width < 1 or box.height < 1:
        raise RegionError(
            f"The {name} {given} has no area.", "Give x,y,width,height with both sides at least 1 pixel."
        )
    if not inside:
        raise RegionError(
            f"The {name} {given} does not lie inside the image of {info.columns} x {info.rows} pixels.",
            "Give x,y,width,height in source pixels, x + width and y + height within the image.",
        )
