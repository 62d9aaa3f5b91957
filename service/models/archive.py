"""Lists of the archive: its series, and the frames of one."""

from __future__ import annotations

from pydantic import Field

from service.models.asked import Asked
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import Collection, CollectionName
from service.models.numbers import FromOne, Position, Spacing
from service.models.times import Day


class CollectionQuery(Asked):
    """Which collection."""

    collection: LeftOut[Collection] = Field(default=None, description="Only this collection.")


class SeriesPath(Asked):
    """Which series."""

    series_uid: str


class Series(Given):
    """A series, and how many of its frames are indexed."""

    study_uid: str
    series_uid: str
    collection: CollectionName
    modality: str
    body_part: str | None
    study_date: Day | None
    frames: FromOne
    label: str | None = Field(description="Of its first frame.")
    series_description: str | None = Field(
        description="Words of a known vocabulary in the description of its first frame; null without one."
    )
    patient: str | None = Field(
        description="Handle of the patient, as the list of patients has it; null without a patient id."
    )


class SeriesList(Given):
    """Series in order of collection, study and series."""

    series: list[Series]


class Frame(Given):
    """An indexed frame."""

    sop_instance_uid: str
    frame_number: FromOne
    instance_number: int | None
    rows: FromOne
    columns: FromOne
    spacing_mm: Spacing | None
    position_mm: Position | None


class FrameList(Given):
    """Frames in display order, head first for an axial series."""

    series_uid: str
    collection: CollectionName
    frames: list[Frame]
