"""Hits as DICOM: which of them, in which documents, and where these went."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from hmar.errors import ParameterError, shown
from hmar.values.exports import KINDS, MOST_HITS, Kind, kinds_of
from hmar.values.hits import Mode
from hmar.values.indexed import IndexedFrame as Name
from hmar.values.outline import Region
from hmar.values.pulls import SITE
from hmar.values.selection import Selection
from service.models.given import Given, Headers
from service.models.judged import JudgedFrame
from service.models.left_out import LeftOut
from service.models.numbers import Count
from service.models.regions import SearchedRegion, SearchedRegions
from service.models.remedy import Remedy
from service.models.search_request import MODE, How, IndexedFrame, Wanted
from service.models.whole_numbers import K


def _kinds(value: object) -> tuple[Kind, ...]:
    """Return kinds from a list; one name alone is for Python."""
    if not isinstance(value, list):
        raise ParameterError(f"kinds is {shown(value)}.", f"Give a list of some of {', '.join(KINDS)}.")
    return kinds_of(value)


Kinds = Annotated[
    tuple[Kind, ...],
    PlainValidator(_kinds),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "enum": list(KINDS)},
            "minItems": 1,
            "description": "sr: a structured report (TID 1500). kos: a key object selection. picture: query "
            "and hits as a secondary capture.",
        }
    ),
]
Chosen = Annotated[
    LeftOut[Annotated[list[JudgedFrame], Field(min_length=1, max_length=MOST_HITS)]],
    Remedy(f"Give a list of 1 to {MOST_HITS} hits, each with sop_instance_uid and frame_number."),
]
Pacs = Annotated[
    str,
    Field(strict=True, pattern=f"^{SITE}$", description="The PACS that they are stored to, by STOW-RS."),
    Remedy("Give the name of a PACS in the site's file, or leave it out to get the documents."),
]


class ExportQuery(How, Wanted, IndexedFrame):
    """A search with an indexed frame, and what of its hits is told as DICOM."""

    explains: ClassVar[frozenset[str]] = frozenset({"limit", "cursor"})

    mode: LeftOut[Mode] = Field(default=None, description=f"{MODE} By default local for regions, else auto.")
    k: K = 10
    region: LeftOut[SearchedRegion] = None
    regions: LeftOut[SearchedRegions] = None
    kinds: Kinds = KINDS
    hits: Chosen = Field(default=None, description="Tell only these of the hits. By default all.")
    to: LeftOut[Pacs] = None

    @model_validator(mode="before")
    @classmethod
    def _check_no_page(cls, fields: Any) -> Any:
        for name in ("limit", "cursor") if isinstance(fields, dict) else ():
            if name in fields:
                raise ParameterError(
                    f"{name} is {shown(fields[name])}, but an export has no pages.",
                    "Leave it out, and give k.",
                )
        return fields

    @model_validator(mode="after")
    def _check_regions(self) -> Self:
        if self.region is not None and self.regions is not None:
            raise ParameterError(
                "region and regions are both given.", "Give region, or regions for several together."
            )
        return self

    @property
    def searched_regions(self) -> tuple[Region, ...]:
        """The regions that are looked for together; none for the whole image."""
        return self.regions or tuple(filter(None, [self.region]))

    @property
    def chosen(self) -> list[Name] | None:
        """The hits to tell, None for all."""
        return None if self.hits is None else [frame.named() for frame in self.hits]

    def selection(self) -> Selection:
        """Return what may be found, and in which groups."""
        return replace(super().selection(), group_by=self.group_by)


class StoredDocument(Given):
    """A document that the PACS was given."""

    kind: Kind
    sop_class_uid: str
    series_uid: str
    sop_instance_uid: str
    refused: str | None = Field(description="Why the PACS did not take it; null where it did.")


class Export(Given):
    """What the PACS took, and how many hits the documents tell."""

    pacs: str
    study_uid: str = Field(description="The study that the documents are in: the query's.")
    complete: bool = Field(description="Whether the PACS took every document.")
    documents: list[StoredDocument]
    hits: Count = Field(description="Hits that the documents tell.")
    other_patients: Count = Field(
        description="Hits that are left out because they are of other patients (HMAR_EXPORT_OTHERS)."
    )
    unreadable: Count = Field(
        description="Hits that are left out because their file cannot be read, or is no DICOM with UIDs."
    )


class ExportHeaders(Headers):
    """Numbers of hits, beside documents that are sent."""

    hits: Count = Field(serialization_alias="X-HMAR-Hits", description="Hits that the documents tell.")
    other_patients: Count = Field(
        serialization_alias="X-HMAR-Other-Patients", description="Hits of other patients, which are left out."
    )
    unreadable: Count = Field(
        serialization_alias="X-HMAR-Unreadable", description="Hits whose file cannot be read, left out."
    )
