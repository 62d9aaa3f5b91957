"""Searches with a series or study, and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from hmar.groups import MAX_QUERY_FRAMES
from hmar.values.groups import Aggregation, GroupMode
from service.models.asked import JsonBody
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.named_frame import NamedFrame
from service.models.names import CollectionName, SeriesUid, StudyUid
from service.models.numbers import Count, FromOne, NotNegative, Score
from service.models.properties import with_shown_properties
from service.models.search_request import Among
from service.models.whole_numbers import Bits

_MODE = (
    "global compares whole frames; local the windows that stand for a query frame with all windows. By "
    "default local by late_interaction, which finds most, and global by mean."
)
_AGGREGATION = (
    f"late_interaction: up to {MAX_QUERY_FRAMES} frames of the query, evenly spread, are compared with the "
    "frame of a series or study that is nearest to each; the distance is the mean over them. mean: the mean "
    "codes of all frames are compared, whose bits are 1 where more than half of the codes have a 1."
)


class GroupOptions(Among):
    """How series or studies are searched for, and among what."""

    mode: LeftOut[GroupMode] = Field(default=None, description=_MODE)
    aggregation: Aggregation = Field(default="late_interaction", description=_AGGREGATION)


class SeriesQuery(GroupOptions, JsonBody):
    """A search for series like an indexed one, which is not among the hits."""

    series_uid: SeriesUid


class StudyQuery(GroupOptions, JsonBody):
    """A search for studies like an indexed one, which is not among the hits."""

    study_uid: StudyUid


class GroupAsked(Given):
    """What was searched with."""

    study_uid: str
    series_uid: str | None = Field(description="Null for a study.")
    collection: CollectionName
    modality: str
    body_part: str | None
    frames: FromOne = Field(description="Frames that the series or study has.")
    compared_frames: Count = Field(
        description="How many of them were compared. By local, frames without windows are not."
    )


class PairedFrame(NamedFrame):
    """A frame of a pair, which may be of any series."""

    series_uid: str


class Pair(Given):
    """A frame of the query, the frame of the hit that is nearest to it, and their distance."""

    query: PairedFrame
    found: PairedFrame
    distance: NotNegative


class _Named(Given):
    rank: FromOne
    distance: NotNegative = Field(description="In bits; smaller is nearer.")
    score: Score = Field(description="1 - distance / bits; larger is more alike.")
    study_uid: str
    series_uid: str | None = Field(description="Null for a study.")
    collection: CollectionName


if TYPE_CHECKING:
    _Known = _Named
else:
    _Known = with_shown_properties(_Named)


class GroupHit(_Known):
    """A series or study that was found. Its properties are those of its oldest frame."""

    frames: FromOne = Field(description="How many of its frames were compared.")
    pairs: list[Pair] = Field(
        description="What the distance is the mean of, in the order of the query's frames; none for mean."
    )


class GroupAnswer(Given):
    """Series or studies, nearest first."""

    model: str
    bits: Bits
    mode: GroupMode
    aggregation: Aggregation
    query: GroupAsked
    hits: list[GroupHit]
    searched_frames: Count = Field(
        description="Frames of the archive that could have been found, given filters and exclusions."
    )
    unindexed_frames: Count = Field(
        description="Frames of these collections that are not indexed under the model, and could not be "
        "found. Counted at most a minute ago."
    )
    took_ms: NotNegative
    next: str | None = Field(
        description="Cursor of the hits that follow; null where none do, or all k were asked for at once."
    )
