"""Several searches in one request, and their answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Self

from pydantic import Field, model_validator

from hmar.errors import ParameterError
from hmar.values.fast import Search
from hmar.values.hits import Mode
from hmar.values.outline import Region
from hmar.values.search_limits import MAX_BATCH_K, MAX_BATCH_REGIONS, MAX_QUERIES
from hmar.values.selection import GroupBy, Selection
from service.models.asked import Asked, JsonBody
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import QueryCollection, SopInstanceUid
from service.models.numbers import NotNegative
from service.models.problem import Problem
from service.models.regions import SearchedRegion, SearchedRegions
from service.models.remedy import Remedy
from service.models.search_answer import Answer
from service.models.search_request import GROUP_BY, MODE, SEARCH, Wanted
from service.models.whole_numbers import FrameNumber


class BatchQuery(Asked):
    """One query: an indexed frame, and what of it is looked for; the whole image without a region."""

    sop_instance_uid: SopInstanceUid
    frame_number: FrameNumber = 1
    query_collection: QueryCollection = None
    region: LeftOut[SearchedRegion] = None
    regions: LeftOut[SearchedRegions] = None

    @model_validator(mode="after")
    def _check_not_both(self) -> Self:
        if self.region is not None and self.regions is not None:
            raise ParameterError(
                "region and regions are both given.", "Give region, or regions for several together."
            )
        return self

    @property
    def searched_regions(self) -> tuple[Region, ...]:
        """The regions that are looked for together; none for the whole image."""
        return self.regions or tuple(filter(None, [self.region]))


class Batch(Wanted, JsonBody):
    """Queries, and how all of them are searched."""

    queries: Annotated[
        list[BatchQuery],
        Field(min_length=1, max_length=MAX_QUERIES),
        Remedy(f"Give 1 to {MAX_QUERIES} queries."),
    ]
    k: Annotated[int, Field(strict=True, ge=1, le=MAX_BATCH_K, description="Hits of each query.")] = 10
    mode: LeftOut[Mode] = Field(
        default=None, description=f"By default local for regions, and auto for a whole image. {MODE}"
    )
    search: LeftOut[Search] = Field(default=None, description=SEARCH)
    group_by: LeftOut[GroupBy] = Field(default=None, description=GROUP_BY)

    @model_validator(mode="after")
    def _check_regions(self) -> Self:
        regions = sum(len(query.searched_regions) for query in self.queries)
        if regions > MAX_BATCH_REGIONS:
            raise ParameterError(
                f"The queries have {regions} regions.", f"Give at most {MAX_BATCH_REGIONS} in one batch."
            )
        return self

    def selection(self) -> Selection:
        """Return what may be found, and in which groups."""
        return replace(super().selection(), group_by=self.group_by)


class BatchItem(Given):
    """What one query is answered with: one of both is null."""

    answer: Answer | None
    problem: Problem | None


class BatchAnswer(Given):
    """What the queries are answered with, in their order."""

    answers: list[BatchItem]
    took_ms: NotNegative
