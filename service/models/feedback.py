"""Judgements of hits: what a request says of them, and what an answer tells."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from hmar.errors import ParameterError
from hmar.values import feedback
from hmar.values.feedback import FeedbackQuery
from service.models.asked import Asked, JsonBody
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import UID_PATTERN, Collection, CollectionName
from service.models.numbers import Count, FromOne
from service.models.regions import Box, Region, Regions
from service.models.remedy import Remedy
from service.models.times import Time
from service.models.whole_numbers import After, FrameNumber, PageSize

MAX_JUDGEMENTS = 100
_Uid = Annotated[str, Field(strict=True, pattern=UID_PATTERN)]


class QueryAsked(Asked):
    """What was looked for: a frame of the archive, or of a file, by the digest of its bytes."""

    sop_instance_uid: LeftOut[_Uid] = Field(default=None, description="An indexed instance.")
    file_sha256: LeftOut[Annotated[str, Field(strict=True, pattern="^[0-9a-f]{64}$")]] = Field(
        default=None, description="SHA-256 of a file that was sent to be searched, in place of a UID."
    )
    frame_number: FrameNumber = 1
    regions: LeftOut[Regions] = Field(
        default=None, description="What of it was looked for; left out for the whole image."
    )

    @model_validator(mode="after")
    def _check_one_of_both(self) -> Self:
        if (self.sop_instance_uid is None) == (self.file_sha256 is None):
            both = self.sop_instance_uid is not None
            raise ParameterError(
                f"The query has {'both' if both else 'neither'} sop_instance_uid {'and' if both else 'nor'} "
                "file_sha256.",
                "Give one of them.",
            )
        return self

    def named(self) -> FeedbackQuery:
        """Return the query."""
        return FeedbackQuery(self.sop_instance_uid, self.file_sha256, self.frame_number, self.regions or ())


class JudgementAsked(Asked):
    """What somebody says of one hit."""

    sop_instance_uid: _Uid
    frame_number: FrameNumber = 1
    collection: LeftOut[Collection] = Field(
        default=None, description="Of the hit; the first that has the frame if left out."
    )
    box: LeftOut[Region] = Field(default=None, description="Of the hit. Left out for the whole frame.")
    verdict: feedback.Verdict


class FeedbackAsked(JsonBody):
    """Judgements of hits of one query."""

    query: QueryAsked
    judgements: Annotated[
        list[JudgementAsked],
        Field(min_length=1, max_length=MAX_JUDGEMENTS),
        Remedy(f"Give 1 to {MAX_JUDGEMENTS} judgements."),
    ]


class FeedbackKept(Given):
    """What became of judgements."""

    kept: Count = Field(description="Fewer than were sent where a frame was deleted meanwhile.")
    topic: str = Field(description="The query's name in lists and exports.")


class FeedbackWanted(Asked):
    """Which judgements."""

    collection: LeftOut[Collection] = Field(
        default=None, description="Only those whose frames are of this collection."
    )
    after: After = 0
    limit: PageSize = 100


class Query(Given):
    """What was looked for; one of UID and digest is null."""

    sop_instance_uid: str | None
    file_sha256: str | None
    frame_number: FromOne
    regions: list[Box] = Field(description="Empty for the whole image.")


class Judgement(Given):
    """What somebody said of one hit."""

    seq: FromOne = Field(description="Grows; a judgement that takes the place of another has a new one.")
    topic: str
    query: Query
    collection: CollectionName
    study_uid: str
    sop_instance_uid: str
    frame_number: FromOne
    box: Box | None
    verdict: feedback.Verdict
    actor: str = Field(description="Name of the key or login.")
    at: Time


class FeedbackPage(Given):
    """Judgements in order of their numbers."""

    judgements: list[Judgement]
    next_after: Count = Field(
        description="The after of the next request. Where it is the one that was sent, there is nothing new."
    )
