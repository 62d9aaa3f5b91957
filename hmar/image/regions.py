"""The region that a reader boxes, checked once at the border."""

from __future__ import annotations

from hmar.errors import RegionError
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Box


def check_region(region: Box, info: FrameInfo) -> None:
    """Raise RegionError unless a region has an area and lies inside its frame."""
    inside = region.x >= 0 and region.y >= 0
    inside = inside and region.x + region.width <= info.columns and region.y + region.height <= info.rows
    given = ",".join(f"{value:g}" for value in region)
    if region.width < 1 or region.height < 1:
        raise RegionError(
            f"The region {given} has no area.", "Give x,y,width,height with both sides at least 1 pixel."
        )
    if not inside:
        raise RegionError(
            f"The region {given} does not lie inside the image of {info.columns} x {info.rows} pixels.",
            "Give x,y,width,height in source pixels, x + width and y + height within the image.",
        )
