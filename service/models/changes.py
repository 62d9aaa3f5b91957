"""What happened in the archive."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.models.asked import Asked
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import Collection, CollectionName
from service.models.numbers import Count, FromOne
from service.models.times import Time
from service.models.whole_numbers import After, PageSize

_GONE = "Null for a delete, and where the frame was deleted since."


class ChangesQuery(Asked):
    """Which changes."""

    collection: LeftOut[Collection] = Field(default=None, description="Only those of this collection.")
    after: After = 0
    limit: PageSize = 100


class Change(Given):
    """One frame that was indexed or deleted."""

    seq: FromOne = Field(description="Grows from change to change; of those that are not seen it has gaps.")
    kind: Literal["add", "delete"]
    added_seq: FromOne = Field(description="The seq of its add: what a delete undoes.")
    collection: CollectionName
    at: Time
    study_uid: str | None = Field(description=_GONE)
    series_uid: str | None = Field(description=_GONE)
    sop_instance_uid: str | None = Field(description=_GONE)
    frame_number: FromOne | None = Field(description=_GONE)
    model_fingerprint: str | None = Field(description="Of the model that encoded it. " + _GONE)


class ChangesPage(Given):
    """Changes in order of the log."""

    changes: list[Change]
    next_after: Count = Field(
        description="The after of the next request. Where it is the one that was sent, there is nothing new."
    )
