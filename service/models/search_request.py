"""Searches: what is looked for, how, and among what."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field, model_validator

from hmar.errors import ParameterError, shown
from hmar.values.fast import Search
from hmar.values.hits import Mode
from hmar.values.judged import Judged
from hmar.values.outline import Region
from hmar.values.search_limits import MAX_PLACES
from hmar.values.selection import Exclusion, GroupBy, Selection
from service.models.asked import Asked, FormBody, JsonBody
from service.models.files import File
from service.models.filters import ExcludeField, FiltersField, OnlyField
from service.models.judged import JudgedFrames
from service.models.left_out import LeftOut
from service.models.names import Collection, QueryCollection, SopInstanceUid
from service.models.regions import (
    SearchedRegion,
    SearchedRegions,
    SearchedRegionsText,
    SearchedRegionText,
)
from service.models.remedy import Remedy
from service.models.whole_numbers import Bits, FrameNumber, K, Limit

MODE = (
    "local compares windows, global whole images, auto both: the distance is their mean, weighed by the gate."
)
GROUP_BY = (
    "The k nearest series, studies or patients, each by its nearest frame alone. A frame whose patient is "
    "unknown belongs to a patient who has this study and no other. place: the k nearest series, up to "
    f"{MAX_PLACES}, each with the slices around its nearest frame that show the region too."
)
SEARCH = (
    "exact compares every frame that may be found. fast takes a fraction of the time in a large archive: "
    "distances, boxes and order are exact, but a hit may be missing; search of the answer says how many are "
    "expected to be there. It is exact all the same where that costs no more. By default it is fast in "
    "archives of as many windows as HMAR_FAST_ABOVE says."
)
_JUDGED = (
    "Hits of this search that {}: the query is refined by them, and all hits are ranked anew. Of each frame "
    "the windows nearest to the query's count. In a form: JSON text."
)
_ONE_OF_BOTH: dict[str, Any] = {"anyOf": [{"required": ["region"]}, {"required": ["regions"]}]}

Cursor = Annotated[
    str,
    Field(
        strict=True,
        description="The next of an answer: the hits that follow, of the same state of the archive. All "
        "other fields but limit are those of that answer's request.",
        json_schema_extra={"minLength": 1},
    ),
    Remedy("Send the next of an answer as a text, or leave it out."),
]


class Wanted(Asked):
    """What may be found, and how long the codes are that are compared."""

    bits: Bits = 128
    collection: LeftOut[Collection] = Field(default=None, description="Search only this collection.")
    filters: FiltersField = None
    only: OnlyField = None
    exclude: ExcludeField = None

    @property
    def exclusion(self) -> Exclusion:
        """What is left out."""
        return Exclusion() if self.exclude is None else self.exclude.exclusion()

    def selection(self) -> Selection:
        """Return what may be found."""
        filters = {} if self.filters is None else self.filters.conditions()
        only = None if self.only is None else frozenset(self.only.series_uids)
        return Selection(self.collection, filters=filters, only_series=only)


class Among(Wanted):
    """How many are looked for, and among what, page by page."""

    k: K = 10
    limit: LeftOut[Limit] = None
    cursor: LeftOut[Cursor] = None


class How(Asked):
    """How is searched."""

    search: LeftOut[Search] = Field(default=None, description=SEARCH)
    group_by: LeftOut[GroupBy] = Field(default=None, description=GROUP_BY)
    relevant: JudgedFrames = Field(default=None, description=_JUDGED.format("are what is looked for"))
    not_relevant: JudgedFrames = Field(default=None, description=_JUDGED.format("are not"))

    @model_validator(mode="after")
    def _check_judged(self) -> Self:
        _ = self.judged
        return self

    @property
    def judged(self) -> Judged:
        """The frames that the query is refined by; raises ParameterError for one that comes twice."""
        relevant, not_relevant = (
            tuple(frame.named() for frame in frames or ()) for frames in (self.relevant, self.not_relevant)
        )
        return Judged(relevant, not_relevant)

    @property
    def searched_regions(self) -> tuple[Region, ...]:
        """The regions that are looked for together; none for the whole image."""
        return ()


class SearchOptions(How, Among):
    """How is searched, and among what, page by page."""

    mode: Mode = Field(default="auto", description=MODE)

    def selection(self) -> Selection:
        """Return what may be found, and in which groups."""
        return replace(super().selection(), group_by=self.group_by)


class WholeImage(SearchOptions):
    """A search that knows no region, and says so: it would be another search."""

    explains: ClassVar[frozenset[str]] = frozenset({"region", "regions"})

    @model_validator(mode="before")
    @classmethod
    def _check_no_region(cls, fields: Any) -> Any:
        for name in ("region", "regions") if isinstance(fields, dict) else ():
            if name in fields:
                raise ParameterError(
                    f"{name} is {shown(fields[name])}, but this route searches for the whole image.",
                    "Leave it out, or use /api/v1/search/region.",
                )
        return fields


class IndexedFrame(JsonBody):
    """A frame of the archive."""

    sop_instance_uid: SopInstanceUid
    frame_number: FrameNumber = 1
    query_collection: QueryCollection = None


class SentFrame(FormBody):
    """A frame of a file that is sent along."""

    file: File = Field(repr=False)
    frame: FrameNumber = 1


class ImageQuery(WholeImage, IndexedFrame):
    """A search for a whole indexed frame."""


class ImageUpload(WholeImage, SentFrame):
    """A search for a whole frame of a file."""


class _Regions(SearchOptions):
    """A search for one region, or for several together."""

    mode: Mode = Field(default="local", description=MODE)
    region: LeftOut[Region]
    regions: LeftOut[tuple[Region, ...]]

    @model_validator(mode="after")
    def _check_one_of_both(self) -> Self:
        if (self.region is None) == (self.regions is None):
            both = "region and regions are both given."
            none = "region is None, and there are no regions."
            raise ParameterError(
                none if self.region is None else both, "Give region, or regions for several together."
            )
        return self

    @property
    def searched_regions(self) -> tuple[Region, ...]:
        """The regions that are looked for together."""
        return self.regions or tuple(filter(None, [self.region]))


class RegionQuery(_Regions, IndexedFrame):
    """A search for a region of an indexed frame, or for several together."""

    model_config = ConfigDict(json_schema_extra=_ONE_OF_BOTH)

    region: LeftOut[SearchedRegion] = None
    regions: LeftOut[SearchedRegions] = None


class RegionUpload(_Regions, SentFrame):
    """A search for a region of a frame of a file, or for several together."""

    model_config = ConfigDict(json_schema_extra=_ONE_OF_BOTH)

    region: LeftOut[SearchedRegionText] = None
    regions: LeftOut[SearchedRegionsText] = None
