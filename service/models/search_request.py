"""Searches: what is looked for, how, and among what."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from hmar.errors import ParameterError, shown
from hmar.values.geometry import Box
from hmar.values.hits import Mode
from hmar.values.selection import GroupBy, Same, Selection
from service.models.asked import Asked, FormBody, JsonBody
from service.models.files import File
from service.models.filters import ExcludeField, FiltersField
from service.models.left_out import LeftOut
from service.models.names import Collection, SopInstanceUid
from service.models.regions import Region, RegionText
from service.models.whole_numbers import Bits, FrameNumber, K

_MODE = (
    "local compares windows, global whole images, auto both: the distance is their mean, weighed by the gate."
)
_GROUP_BY = (
    "The k nearest series, studies or patients, each by its nearest frame alone. A frame whose patient is "
    "unknown belongs to a patient who has this study and no other."
)


class SearchOptions(Asked):
    """How is searched, and among what."""

    k: K = 10
    mode: Mode = Field(default="auto", description=_MODE)
    bits: Bits = 128
    collection: LeftOut[Collection] = Field(default=None, description="Search only this collection.")
    filters: FiltersField = None
    exclude: ExcludeField = None
    group_by: LeftOut[GroupBy] = Field(default=None, description=_GROUP_BY)

    @property
    def searched_region(self) -> Box | None:
        """The region that is looked for; None for the whole image."""
        return None

    @property
    def exclude_same(self) -> Same | None:
        """What of the query's own is left out."""
        return None if self.exclude is None else self.exclude.same

    def selection(self) -> Selection:
        """Return what may be found, and in which groups."""
        filters = {} if self.filters is None else self.filters.conditions()
        return Selection(self.collection, filters=filters, group_by=self.group_by)


class WholeImage(SearchOptions):
    """A search that knows no region, and says so: it would be another search."""

    explains: ClassVar[frozenset[str]] = frozenset({"region"})

    @model_validator(mode="before")
    @classmethod
    def _check_no_region(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and "region" in fields:
            raise ParameterError(
                f"region is {shown(fields['region'])}, but this route searches for the whole image.",
                "Leave it out, or use /api/v1/search/region.",
            )
        return fields


class IndexedFrame(JsonBody):
    """A frame of the archive."""

    sop_instance_uid: SopInstanceUid
    frame_number: FrameNumber = 1


class SentFrame(FormBody):
    """A frame of a file that is sent along."""

    file: File = Field(repr=False)
    frame: FrameNumber = 1


class ImageQuery(WholeImage, IndexedFrame):
    """A search for a whole indexed frame."""


class ImageUpload(WholeImage, SentFrame):
    """A search for a whole frame of a file."""


class RegionQuery(SearchOptions, IndexedFrame):
    """A search for a region of an indexed frame."""

    region: Region
    mode: Mode = Field(default="local", description=_MODE)

    @property
    def searched_region(self) -> Box:
        """The region that is looked for."""
        return self.region


class RegionUpload(SearchOptions, SentFrame):
    """A search for a region of a frame of a file."""

    region: RegionText
    mode: Mode = Field(default="local", description=_MODE)

    @property
    def searched_region(self) -> Box:
        """The region that is looked for."""
        return self.region
