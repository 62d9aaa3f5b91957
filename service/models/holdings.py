"""What the archive holds: collections in numbers, studies, and one instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hmar.values.pulls import MODALITY
from hmar.values.wanted_studies import StudyOrder
from service.models.archive import CollectionQuery, Series
from service.models.asked import Asked
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import CollectionName
from service.models.numbers import Count, FromOne, NotNegative, Position, Spacing
from service.models.properties import with_shown_properties
from service.models.times import Day, StudyDate, Time
from service.models.whole_numbers import Offset, PageSize


class ModelOfFrames(Given):
    """A model, and how far a collection is indexed under it."""

    fingerprint: str
    name: str
    frames: Count = Field(description="Frames that are indexed under it.")
    missing_frames: Count = Field(description="Frames that are indexed under other models alone.")


class CollectionNumbers(Given):
    """A collection in numbers, of the frames that are indexed under the model in use."""

    collection: CollectionName
    model: ModelOfFrames
    next_model: ModelOfFrames | None = Field(
        description="The model that the archive is being indexed under beside it; null where there is none."
    )
    frames: Count
    series: Count
    studies: Count
    patients: Count = Field(description="Those that are known: a frame without a patient id counts for none.")
    labels: dict[str, FromOne] = Field(description="Frames by label.")
    code_bytes: Count = Field(description="Size of the codes in the database.")
    last_indexed_at: Time | None
    windows: Count = Field(description="Windows that are searched.")
    held_back: Count = Field(
        description="Frames whose windows are not searched: another slice of their slab stands for them."
    )
    slab_mm: NotNegative | None = Field(description="Thickness of the slabs; null where there are none.")


class CollectionList(Given):
    """Collections in order of name."""

    collections: list[CollectionNumbers]


class PatientsQuery(CollectionQuery):
    """Which patients."""

    offset: Offset = 0
    limit: PageSize = 100


class Patient(Given):
    """A patient in numbers, of what is seen."""

    patient: str = Field(description="A handle: neither the patient's id nor a hash of it.")
    studies: FromOne = Field(description="How many.")
    series: FromOne
    frames: FromOne
    first_date: Day | None
    last_date: Day | None
    modalities: list[str]


class PatientsPage(Given):
    """Patients, in an order that means nothing."""

    patients: list[Patient]
    next_offset: int | None = Field(description="Null on the last page.")


class StudiesQuery(CollectionQuery):
    """Which studies: those with a series of which everything that is given is true."""

    patient: LeftOut[Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{32}$")]] = Field(
        default=None, description="Handle of a patient, as the list of patients has it."
    )
    modality: LeftOut[Annotated[str, Field(strict=True, pattern=f"^{MODALITY}$")]] = Field(
        default=None, description="Such as CT."
    )
    body_part: LeftOut[Annotated[str, Field(strict=True, pattern=f"^{MODALITY}$")]] = Field(
        default=None, description="Such as CHEST."
    )
    since: LeftOut[StudyDate] = Field(default=None, description="First study date.")
    until: LeftOut[StudyDate] = Field(default=None, description="Last study date.")
    order: StudyOrder = Field(
        default="uid", description="uid is by collection and UID; studies without a date come last."
    )
    offset: Offset = 0
    limit: PageSize = 100


class Study(Given):
    """A study in one collection."""

    study_uid: str
    collection: CollectionName
    study_date: Day | None
    modalities: list[str]
    series: FromOne = Field(description="How many.")
    frames: FromOne


class StudiesPage(Given):
    """Studies in order."""

    studies: list[Study]
    next_offset: int | None = Field(description="Null on the last page.")


class StudyPath(Asked):
    """Which study."""

    study_uid: str


class StudyPatient(Given):
    """The patient of a study, as the PACS has it; null where it has nothing."""

    name: str | None = Field(description="Family name first, such as Doe, Jane.")
    patient_id: str | None
    birth_date: Day | None
    pacs: str = Field(description="Which PACS says so.")


class OneStudy(Given):
    """A study in one collection, with its series in order of UID."""

    study: Study
    series: list[Series]


class InstancePath(Asked):
    """Which instance."""

    sop_instance_uid: str


class _Named(Given):
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    frame_number: FromOne
    instance_number: int | None


if TYPE_CHECKING:
    _Known = _Named
else:
    _Known = with_shown_properties(_Named)


class InstanceFrame(_Known):
    """A frame with all that is known of it, but for the patient."""

    rows: FromOne
    columns: FromOne
    spacing_mm: Spacing | None
    position_mm: Position | None


class Instance(Given):
    """An instance in one collection."""

    sop_instance_uid: str
    collection: CollectionName
    frames: list[InstanceFrame] = Field(min_length=1, description="In order of frame number.")
