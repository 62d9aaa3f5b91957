"""The answer to a search: the hits, nearest first, and what was searched for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from hmar.values.fast import Search
from hmar.values.hits import Mode
from service.models.given import Given
from service.models.named_frame import NamedFrame
from service.models.names import CollectionName
from service.models.numbers import Count, FromOne, NotNegative, Score, Share, Spacing
from service.models.properties import with_shown_properties
from service.models.regions import Box
from service.models.whole_numbers import Bits


class Gate(Given):
    """How much each expert's distance counts in mode auto; both sum to 1.

    It follows from the router's weights and the number of the query's windows.
    """

    global_: Share = Field(alias="global")
    local: Share


class Expert(Given):
    """What one expert says of a hit."""

    distance: NotNegative | None = Field(
        description="Differing bits (a mean over the query's windows for the local expert); null for a frame "
        "without windows."
    )
    score: Score | None = Field(description="1 - distance / bits; larger is more alike.")


class Experts(Given):
    """What both experts say of a hit."""

    global_: Expert = Field(alias="global")
    local: Expert


class _Named(Given):
    rank: FromOne
    distance: NotNegative = Field(description="The distance that ranked the hit; smaller is nearer.")
    bits: Bits
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    frame_number: FromOne
    instance_number: int | None
    collection: CollectionName


if TYPE_CHECKING:
    _Known = _Named
else:
    _Known = with_shown_properties(_Named)


class RegionHit(Given):
    """What a hit holds of one region of the query."""

    distance: NotNegative = Field(description="Local distance of this region alone.")
    score: Score
    box: Box = Field(description="The window nearest to the region's own.")
    box_mm: Box | None


class Extent(Given):
    """Lengths in mm; null where unknown."""

    width_mm: NotNegative | None = Field(description="Along the rows.")
    height_mm: NotNegative | None = Field(description="Along the columns.")
    depth_mm: NotNegative | None = Field(
        description="From the first frame to the last, one step between slices added."
    )


class Place(Given):
    """Neighbouring slices of one series that show what was searched for."""

    first: NamedFrame
    last: NamedFrame
    frames: FromOne = Field(description="How many frames belong to it.")
    distances: list[NotNegative] = Field(
        description="Local distances of its frames, from the first to the last."
    )
    box: Box = Field(description="Covers the boxes of its frames; of several regions, those of the first.")
    extent: Extent


class Slab(Given):
    """The slab that a hit lies in."""

    slab_mm: NotNegative = Field(description="Its thickness.")
    frames: FromOne = Field(description="How many slices it has.")


class Hit(_Known):
    """A frame that was found."""

    rows: FromOne
    columns: FromOne
    box: Box = Field(description="The window found; of several regions, that of the first.")
    box_mm: Box | None = Field(description="The same in mm; null where the pixel spacing is unknown.")
    regions: list[RegionHit] = Field(
        description="One item for each region that was searched for, in their order. Empty where the whole "
        "image was, and for a frame without windows."
    )
    place: Place | None = Field(
        description="The slices around the frame that show the same; null unless asked."
    )
    experts: Experts
    gate: Gate
    model: str
    viewer_url: str | None = Field(
        description="Address of the frame in the viewer of the PACS that it was pulled from; null where "
        "that names none."
    )
    slab: Slab | None = Field(
        description="The slab of thin slices that the frame lies in, where one slice stands for the others "
        "when windows are searched; mode local then tells the nearest slice of the slab. Null elsewhere."
    )


class RegionAsked(Given):
    """One of the regions that were searched for."""

    region: Box
    region_mm: Box | None
    typicality: Share | None = Field(description="Of this region; null where the model cannot tell.")
    out_of_distribution: bool | None


class Query(Given):
    """What was searched for."""

    modality: str
    body_part: str | None
    frame_number: FromOne
    rows: FromOne
    columns: FromOne
    spacing_mm: Spacing | None
    region: Box | None = Field(description="Null for several regions, and for the whole image.")
    region_mm: Box | None
    regions: list[RegionAsked] = Field(description="All regions; none for the whole image.")
    gate: Gate | None = Field(description="Null where there are no hits.")
    typicality: Share | None = Field(
        description="Share of known frames of the same kind (Hounsfield units, or presentation values of a "
        "modality) that lie, held out and with a margin, at least as far from the others as the query. Of a "
        "region it is the smaller of that of its own cells, among regions, and that of its frame; of several "
        "regions that of the least typical one. Null where there are no hits, or the model knows no frame of "
        "that kind."
    )
    out_of_distribution: bool | None = Field(
        description="Whether the typicality is below 0.01: the query is unlike all frames of its kind that "
        "the model knows, and its hits may mean nothing. Null where the typicality is."
    )


class Thoroughness(Given):
    """How much was compared, and how much of what is nearest is expected among the hits.

    Of an exact search both shares are 1. Of a page they are of its hits and those of the pages before.
    """

    made: Search = Field(description="How it was searched, whatever was asked for.")
    ranked_share: Share = Field(
        description="Share of the frames that could have been found whose windows were all compared."
    )
    expected_recall: Share = Field(
        description="Expected share of the nearest frames, or groups, as many as were asked for, that are "
        "among the hits."
    )


class Refined(Given):
    """How many judged frames the query was refined by."""

    relevant: Count
    not_relevant: Count


class Answer(Given):
    """Hits, nearest first."""

    model: str
    bits: Bits
    mode: Mode
    search: Thoroughness
    query: Query
    refined: Refined | None = Field(
        description="Null where no hits were judged. Distances of a refined search are those of codes whose "
        "bits have weights; they do not compare with those of the search before."
    )
    hits: list[Hit]
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
