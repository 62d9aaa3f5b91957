"""Deletions: what is to be deleted, and what was."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field, RootModel

from hmar.values.deletion import Level
from service.models.asked import JsonBody
from service.models.given import Given
from service.models.names import Collection, CollectionName
from service.models.numbers import FromOne
from service.models.remedy import Remedy

_ALL = "Null is all collections."


class UidDeletion(JsonBody):
    """Delete one instance, series or study."""

    level: Literal["instance", "series", "study"]
    uid: Annotated[str, Field(strict=True, repr=False, json_schema_extra={"minLength": 1})]
    collection: Collection | None = Field(default=None, description=_ALL)


class PatientDeletion(JsonBody):
    """Delete one patient, whose id is hashed at once and stands in no answer."""

    level: Literal["patient"]
    patient_id: Annotated[
        str,
        Field(
            strict=True,
            repr=False,
            description="As the files have it, (0010,0020).",
            json_schema_extra={"minLength": 1},
        ),
    ]
    issuer: str = Field(
        default="",
        strict=True,
        repr=False,
        description="Issuer of the id (0010,0021), where files have one.",
    )
    collection: Collection | None = Field(default=None, description=_ALL)


class Deletion(RootModel[UidDeletion | PatientDeletion]):
    """What is to be deleted, by its level."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
    media_type: ClassVar[str] = JsonBody.media_type

    root: Annotated[
        UidDeletion | PatientDeletion,
        Field(discriminator="level"),
        Remedy(f"Give one of {', '.join(get_args(Level))}."),
    ]


class Deleted(Given):
    """What was deleted."""

    level: Level
    collection: CollectionName | None = Field(description=_ALL)
    frames: FromOne = Field(description="Of every model and collection.")
    instances: FromOne
    series: FromOne
    studies: FromOne
