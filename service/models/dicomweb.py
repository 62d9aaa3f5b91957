"""DICOMweb (PS3.18): which studies, series, instances and frames; fields have the standard's names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from hmar.errors import ParameterError, shown
from hmar.properties.header_text import day
from hmar.values.plain import number_of
from hmar.values.pulls import MODALITY
from hmar.values.wanted_studies import WantedStudies
from service.models.asked import Asked
from service.models.left_out import LeftOut
from service.models.names import UID_PATTERN
from service.models.whole_numbers import Offset, PageSize

MAX_UIDS = 100
_UIDS = r"[!-~]{1,6500}"
_DATES = "[0-9]{8}|[0-9]{8}-(?:[0-9]{8})?|-[0-9]{8}"
_FIELDS = "all|[0-9A-Fa-f]{8}|[A-Za-z][A-Za-z0-9]{0,63}"
_NUMBER = "-?[0-9]{1,9}(?:[.][0-9]{1,9})?"
_WINDOW = f"({_NUMBER}),({_NUMBER})(?:,linear)?"

Uid = Annotated[str, Field(pattern=UID_PATTERN)]


def _matching(pattern: str, name: str, remedy: str, kept: Callable[[str], object]) -> PlainValidator:
    """Return what reads a key of a query; an empty one matches everything (PS3.4 C.2.2.2.3)."""

    def read(value: object) -> object:
        if value == "":
            return None
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ParameterError(f"{name} is {shown(value)}.", remedy)
        return kept(value)

    return PlainValidator(read)


def _text_of(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern})?$"})


def _uids(text: str) -> tuple[str, ...]:
    uids = tuple(re.split(r"[,\\]", text))
    if len(uids) > MAX_UIDS or not all(re.fullmatch(UID_PATTERN, uid) for uid in uids):
        raise ParameterError(
            f"A list of UIDs is {shown(text)}.", f"Give up to {MAX_UIDS} UIDs with commas between them."
        )
    return uids


def _days(text: str) -> tuple[date | None, date | None]:
    first, dash, last = text.partition("-")
    ends = [day(end) if end else None for end in (first, last if dash else first)]
    if any(end is None for end, said in zip(ends, (first, last if dash else first), strict=True) if said):
        raise ParameterError(f"StudyDate is {shown(text)}.", "Give days of the calendar, as YYYYMMDD.")
    return ends[0], ends[1]


def _fields(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    words = [word for part in listed for word in str(part).split(",")]
    for word in words:
        if not re.fullmatch(_FIELDS, word):
            raise ParameterError(f"includefield is {shown(word)}.", "Give keywords, tags, or all.")
    return tuple(words)


_UID_REMEDY = "Give a DICOM UID, or several with commas between them."
_MODALITY_REMEDY = "Give one such as CT, in capitals."

StudyUids = Annotated[
    tuple[str, ...] | None, _matching(_UIDS, "StudyInstanceUID", _UID_REMEDY, _uids), _text_of(_UIDS)
]
SeriesUids = Annotated[
    tuple[str, ...] | None, _matching(_UIDS, "SeriesInstanceUID", _UID_REMEDY, _uids), _text_of(_UIDS)
]
SopUids = Annotated[
    tuple[str, ...] | None, _matching(_UIDS, "SOPInstanceUID", _UID_REMEDY, _uids), _text_of(_UIDS)
]
OneModality = Annotated[
    str | None, _matching(MODALITY, "Modality", _MODALITY_REMEDY, str), _text_of(MODALITY)
]
Modalities = Annotated[
    str | None, _matching(MODALITY, "ModalitiesInStudy", _MODALITY_REMEDY, str), _text_of(MODALITY)
]
Days = Annotated[
    tuple[date | None, date | None] | None,
    _matching(_DATES, "StudyDate", "Give YYYYMMDD, or a range such as 20260101-20260131.", _days),
    _text_of(_DATES),
]


class Matching(Asked):
    """Which part of what matches."""

    repeats: ClassVar[frozenset[str]] = frozenset({"includefield"})

    limit: LeftOut[PageSize] = Field(default=None, description="Rows of one answer; 100 if left out.")
    offset: Offset = Field(default=0, description="Rows to pass over.")
    includefield: Annotated[
        tuple[str, ...],
        PlainValidator(_fields),
        WithJsonSchema({"type": "array", "items": {"type": "string", "pattern": f"^({_FIELDS})(,.*)?$"}}),
    ] = Field(default=(), description="Taken, and without effect: every row has all that is known.")
    fuzzymatching: LeftOut[Literal["true", "false"]] = Field(
        default=None, description="Taken, and without effect: no names are kept."
    )


class MatchingStudies(Matching):
    """Which studies."""

    StudyInstanceUID: StudyUids = Field(default=None, description="One, or several with commas between.")
    ModalitiesInStudy: Modalities = None
    Modality: OneModality = Field(default=None, description="As ModalitiesInStudy.")
    StudyDate: Days = Field(default=None, description="A day as YYYYMMDD, or a range of days.")

    @property
    def wanted(self) -> WantedStudies:
        """What is asked of a study besides its UID."""
        since, until = self.StudyDate or (None, None)
        return WantedStudies(modality=self.ModalitiesInStudy or self.Modality, since=since, until=until)


class MatchingSeries(Matching):
    """Which series of a study."""

    SeriesInstanceUID: SeriesUids = Field(default=None, description="One, or several with commas between.")
    Modality: OneModality = None


class MatchingInstances(Matching):
    """Which instances of a series."""

    SOPInstanceUID: SopUids = Field(default=None, description="One, or several with commas between.")


class StudyOfArchive(Asked):
    """Which study."""

    study_uid: Uid


class SeriesOfStudy(StudyOfArchive):
    """Which series."""

    series_uid: Uid


class InstanceOfSeries(SeriesOfStudy):
    """Which instance."""

    sop_instance_uid: Uid


class FrameOfInstance(InstanceOfSeries):
    """Which frame."""

    frame_number: int = Field(json_schema_extra={"minimum": 1})


def _window(text: str) -> tuple[float, float]:
    centre, width = (number_of(part) for part in text.split(",")[:2])
    if width < 1:
        raise ParameterError(f"window is {shown(text)}.", "Give a width of at least 1.")
    return centre, width


Window = Annotated[
    tuple[float, float] | None,
    _matching(_WINDOW, "window", "Give centre,width in HU, such as 40,400.", _window),
    _text_of(_WINDOW),
]


class Rendering(Asked):
    """How a frame is rendered."""

    window: Window = Field(
        default=None, description="Centre and width of the display window in HU; the file's own if left out."
    )
