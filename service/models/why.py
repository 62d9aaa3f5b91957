"""Why a frame is among the hits: what is asked, and the answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from service.models.asked import Asked
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import Collection, SopInstanceUid
from service.models.numbers import Count, FromOne, NotNegative, Score, Share
from service.models.regions import Box, Region
from service.models.remedy import Remedy
from service.models.search_answer import Gate
from service.models.search_request import IndexedFrame
from service.models.whole_numbers import Bits, FrameNumber


class FoundFrame(Asked):
    """A hit."""

    sop_instance_uid: SopInstanceUid
    frame_number: FrameNumber = 1
    collection: LeftOut[Collection] = Field(default=None, description="The collection that it was found in.")


class WhyQuery(IndexedFrame):
    """The query's frame, its region if it had one, and the hit."""

    region: LeftOut[Region] = None
    hit: Annotated[FoundFrame, Remedy('Give the frame that was found, as {"sop_instance_uid": "1.2.3"}.')]
    bits: Bits = 128


class WhyPicture(Asked):
    """Which of the two frames is drawn."""

    of: Annotated[
        Literal["hit", "query"],
        Field(
            description="hit: its places that are near the query's region. query: its places that are near "
            "the place found."
        ),
    ] = "hit"


class Agreement(Given):
    """Two codes beside one another."""

    distance: Count
    score: Score
    differing_bits: list[Count] = Field(description="From 0, the most significant bit first.")
    said: str = Field(description="What it means, in words.")


class DistanceMap(Given):
    """Distances over a frame, in equal parts of it, from its upper left."""

    rows: FromOne
    columns: FromOne
    distances: list[list[NotNegative | None]] = Field(
        description="Row by row, the least distance of the windows that cover the part; null where none does."
    )


class Why(Given):
    """Why a frame was found."""

    bits: Bits
    global_: Agreement = Field(alias="global", description="Of the codes of both whole frames.")
    local: Agreement | None = Field(
        description="Of the query's window and the nearest one of the hit; null for a frame without windows."
    )
    box: Box | None = Field(description="That window of the hit.")
    nearer_than: Share | None = Field(
        description="Share of the hit's other windows that are farther from the query; null without others."
    )
    hit_map: DistanceMap = Field(
        description="How near the places of the hit are to the window at the middle of the region."
    )
    query_map: DistanceMap = Field(
        description="How near the places of the query's frame are to the window found."
    )
    gate: Gate
