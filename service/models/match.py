"""Two series side by side: what is asked, and the answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from service.models.asked import Asked
from service.models.given import Given
from service.models.named_frame import NamedFrame
from service.models.names import SeriesUid
from service.models.numbers import Count


class MatchQuery(Asked):
    """The series that is laid beside the one of the path."""

    to: Annotated[SeriesUid, Field(description="An indexed series.")]


class MatchedFrame(NamedFrame):
    """A frame, and the one of the other series that lies beside it."""

    beside: NamedFrame
    distance: Count = Field(description="Bits of 128 in which the codes of the two whole images differ.")


class SeriesMatch(Given):
    """Two series side by side."""

    order: Literal["forward", "backward", "none"] = Field(
        description="forward: frames beside later ones are never earlier. backward: never later. none: "
        "neither is clearly better, and each frame has its nearest beside it."
    )
    frames: list[MatchedFrame] = Field(description="Of the series of the path, in display order.")
