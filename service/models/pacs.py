"""The PACS of the site, and how they are followed."""

from __future__ import annotations

from pydantic import Field

from hmar.values.follows import FollowKind, SweepKind
from service.models.given import Given
from service.models.names import CollectionName
from service.models.numbers import Count, NotNegative
from service.models.times import Time


class Followed(Given):
    """How far a PACS is followed."""

    kind: FollowKind
    collection: CollectionName = Field(description="Where frames are added.")
    watched: bool = Field(description="Whether a worker watches it now.")
    cursor: str | None = Field(description="Up to where its news is taken; null before the first look.")
    behind: Count = Field(description="News that was not taken yet, at most.")
    lag_s: NotNegative | None = Field(description="Seconds since nothing was left to take.")
    looked_at: Time | None = Field(description="When it last told its news.")
    failures: Count = Field(description="Looks in a row that failed.")
    failing_since: Time | None
    reason: str | None = Field(description="Why the last of them failed.")
    resets: Count = Field(description="How often its feed began anew.")
    arrived: Count = Field(description="Instances that were handed to indexing.")
    deleted: Count = Field(description="Instances that were deleted because the PACS had them no more.")
    sweep: SweepKind | None = Field(description="The sweep that goes on, or that was asked for.")
    swept_at: Time | None = Field(description="When the last sweep ended.")
    only_there: Count = Field(description="Instances that the last sweep found only in the PACS.")
    only_here: Count = Field(description="Instances that it found only in the archive, and that are still.")
    stopped: str | None = Field(description="What it did not do, why, and what to do.")


class Pacs(Given):
    """A PACS of the site."""

    name: str
    followed: Followed | None = Field(description="Null where it is not followed.")


class PacsList(Given):
    """The PACS of the site, in order of name."""

    pacs: list[Pacs]
