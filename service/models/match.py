"""Two series side by side: what is asked, and the answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from service.models.asked import Asked
from service.models.given import Given
from service.models.names import SeriesUid
from service.models.numbers import Count, FromOne


class MatchQuery(Asked):
    """The series that is laid beside the one of the path."""

    to: Annotated[SeriesUid, Field(description="An indexed series.")]


class PlacedFrame(Given):
    """A frame of a series."""

    sop_instance_uid: str
    frame_number: FromOne
    instance_number: int | None


class MatchedFrame(PlacedFrame):
    """A frame, and the one of the other series that lies beside it."""

    beside: PlacedFrame
    distance: Count = Field(description="Bits of 128 in which the codes of the two whole images differ.")


class SeriesMatch(Given):
    """Two series side by side."""

    order: Literal["forward", "backward", "none"] = Field(
        description="forward: frames beside later ones are never earlier. backward: never later. none: "
        "neither is clearly better, and each frame has its nearest beside it."
    )
    frames: list[MatchedFrame] = Field(description="Of the series of the path, in display order.")
