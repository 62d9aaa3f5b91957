"""The models of the archive, and moving from one to another."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.models.asked import Asked, JsonBody
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import Collection
from service.models.numbers import Count
from service.models.whole_numbers import Frames

_ROLE = (
    "used: searches use it. next: the archive is being indexed under it. kept: neither; it may have frames "
    "of an earlier time."
)


class ModelPath(Asked):
    """Which model."""

    fingerprint: str = Field(description="Of an installed model; see GET /api/v1/models.")


class Model(Given):
    """A model that is installed or has frames."""

    fingerprint: str
    name: str = Field(description="Empty for a model that is not installed here and neither used nor next.")
    role: Literal["used", "next", "kept"] = Field(description=_ROLE)
    installed: bool = Field(description="Whether this server can load it.")
    frames: Count = Field(description="Frames that are indexed under it.")
    missing_frames: Count = Field(description="Frames of the archive that are not.")


class ModelList(Given):
    """Models: the used one, the next one, then the others by name."""

    models: list[Model]


class Reindexing(JsonBody):
    """Index what the archive holds under a model."""

    collections: LeftOut[list[Collection]] = Field(
        default=None, description="Begin with these alone. All by default."
    )


class ReindexingBegun(Given):
    """What was begun."""

    fingerprint: str
    missing_frames: Count = Field(description="Frames that the model misses, in the collections asked for.")
    jobs: list[str] = Field(
        description="Ids of the index jobs that do it, one for each collection that misses frames. A job "
        "that goes on already is named again."
    )


class Using(JsonBody):
    """Let searches use a model."""

    accept_missing: Frames = Field(
        default=0, description="Frames that may be missing under it: no search finds them then."
    )
