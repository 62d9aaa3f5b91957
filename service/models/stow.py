"""Instances that are stored by STOW-RS, and the answer, which is DICOM JSON (PS3.18 10.5 and F.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, RootModel, WithJsonSchema

from hmar.values.received import FailureReason, Received
from service.models.asked import Asked
from service.models.given import Given
from service.models.names import DEFAULT_COLLECTION, Collection
from service.readers.related import RelatedParts

DICOM = "application/dicom"
_BODY = {"type": "string", "format": "binary", "description": "DICOM files, one in each part."}


class Instances(RootModel[Annotated[Any, WithJsonSchema(_BODY)]]):
    """A body with a DICOM file in each of its parts."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
    media_type: ClassVar[str] = "multipart/related"

    @property
    def parts(self) -> RelatedParts:
        """The files, to be read once."""
        parts: RelatedParts = self.root
        return parts


class StowQuery(Asked):
    """Where instances are indexed."""

    collection: Collection = DEFAULT_COLLECTION


class UidElement(Given):
    """A UID."""

    vr: Literal["UI"] = "UI"
    value: list[str] = Field(serialization_alias="Value")


class ReasonElement(Given):
    """A number that says why (PS3.18 annex I)."""

    vr: Literal["US"] = "US"
    value: list[FailureReason] = Field(serialization_alias="Value")


class NoUrl(Given):
    """No address: instances are not given back here."""

    vr: Literal["UR"] = "UR"


class StoredInstance(Given):
    """An instance that was taken."""

    sop_class: UidElement = Field(serialization_alias="00081150")
    sop_instance: UidElement = Field(serialization_alias="00081155")
    retrieve_url: NoUrl = Field(default=NoUrl(), serialization_alias="00081190")


class FailedInstance(Given):
    """An instance that was refused. Its UIDs are absent where they cannot be read."""

    sop_class: UidElement | None = Field(default=None, serialization_alias="00081150")
    sop_instance: UidElement | None = Field(default=None, serialization_alias="00081155")
    reason: ReasonElement = Field(serialization_alias="00081197")


class FailedSequence(Given):
    """Failed SOP Sequence."""

    vr: Literal["SQ"] = "SQ"
    value: list[FailedInstance] = Field(serialization_alias="Value", min_length=1)


class StoredSequence(Given):
    """Referenced SOP Sequence."""

    vr: Literal["SQ"] = "SQ"
    value: list[StoredInstance] = Field(serialization_alias="Value", min_length=1)


class StowAnswer(Given):
    """What became of each instance. A sequence without items is absent."""

    retrieve_url: NoUrl = Field(default=NoUrl(), serialization_alias="00081190")
    failed: FailedSequence | None = Field(default=None, serialization_alias="00081198")
    stored: StoredSequence | None = Field(default=None, serialization_alias="00081199")

    @classmethod
    def of_all(cls, received: Sequence[Received]) -> Self:
        """Return the answer for instances in the order in which they came."""
        failed = [_failed(one) for one in received if one.failure is not None]
        stored = [_stored(one) for one in received if one.failure is None]
        return cls(
            failed=FailedSequence(value=failed) if failed else None,
            stored=StoredSequence(value=stored) if stored else None,
        )

    @property
    def status(self) -> int:
        """Status of the answer (PS3.18 10.5.3): all, some or none were taken."""
        if self.failed is None:
            return 200
        return 409 if self.stored is None else 202

    def to_json(self) -> dict[str, Any]:
        """Return the answer without what is absent."""
        return self.model_dump(mode="json", exclude_none=True)


def _stored(one: Received) -> StoredInstance:
    if one.instance is None:
        raise ValueError("an instance that was taken has UIDs")
    return StoredInstance(
        sop_class=UidElement(value=[one.instance.sop_class_uid]),
        sop_instance=UidElement(value=[one.instance.sop_instance_uid]),
    )


def _failed(one: Received) -> FailedInstance:
    found = one.instance
    return FailedInstance(
        sop_class=_uid("" if found is None else found.sop_class_uid),
        sop_instance=_uid("" if found is None else found.sop_instance_uid),
        reason=ReasonElement(value=[FailureReason(one.failure or 0)]),
    )


def _uid(uid: str) -> UidElement | None:
    return UidElement(value=[uid]) if uid else None
