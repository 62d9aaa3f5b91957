"""DICOM JSON (PS3.18 F) of what is indexed: rows of queries, and the metadata of instances for viewers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hmar.errors import DecodeError
from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.frames import FrameInfo
from hmar.values.headers import TOLD, FileHeader
from hmar.values.stored import SHADES, Meaning, PixelType, StoredUnits

Row = dict[str, dict[str, Any]]

_SHOWN = Meaning(StoredUnits.PRESENTATION, windows=(((SHADES + 1) / 2, SHADES + 1.0),))
"""What presentation values in whole numbers mean to a viewer: shown as they are, over their full range."""


def study_row(series: Sequence[SeriesInfo], url: str) -> Row:
    """Return the row of a study by its series, at least one; ``url`` is where it is retrieved.

    What names a patient is not kept, and empty.
    """
    days = [one.study_date for one in series if one.study_date is not None]
    return {
        "00080020": _day(min(days, default=None)),
        "00080030": _element("TM"),
        "00080050": _element("SH"),
        "00080056": _element("CS", "ONLINE"),
        "00080061": _element("CS", *sorted({one.modality for one in series})),
        "00080090": _element("PN"),
        "00081190": _element("UR", url),
        **_patient(),
        "0020000D": _element("UI", series[0].study_uid),
        "00200010": _element("SH"),
        "00201206": _element("IS", len(series)),
    }


def series_row(series: SeriesInfo, frames: Sequence[EntryInfo], url: str) -> Row:
    """Return the row of a series by its frames, at least one."""
    return {
        "00080020": _day(series.study_date),
        "00080056": _element("CS", "ONLINE"),
        "00080060": _element("CS", series.modality),
        "0008103E": _element("LO", series.series_description),
        "00081190": _element("UR", url),
        "0020000D": _element("UI", series.study_uid),
        "0020000E": _element("UI", series.series_uid),
        "00200011": _element("IS", frames[0].info.series_number),
        "00201209": _element("IS", len({frame.info.sop_instance_uid for frame in frames})),
    }


def instance_row(frames: Sequence[EntryInfo], url: str) -> Row:
    """Return the row of an instance by its frames, at least one."""
    info = frames[0].info
    return {
        "00080018": _element("UI", info.sop_instance_uid),
        "00080056": _element("CS", "ONLINE"),
        "00081190": _element("UR", url),
        "0020000D": _element("UI", info.study_uid),
        "0020000E": _element("UI", info.series_uid),
        "00200013": _element("IS", info.instance_number),
        "00280008": _element("IS", _frames_of_file(frames)),
        "00280010": _element("US", info.rows),
        "00280011": _element("US", info.columns),
    }


def metadata(frames: Sequence[EntryInfo], headers: Sequence[FileHeader]) -> Row:
    """Return what a viewer needs to show an instance, as its frames are given.

    Parameters
    ----------
    frames : sequence of EntryInfo
        Those that are indexed, in order of their numbers; at least one.
    headers : sequence of FileHeader
        Of each frame, or one where the frames of the file are alike.

    Raises
    ------
    DecodeError
        If the frames are given in different forms, which no metadata can say.
    """
    info, header, count = frames[0].info, headers[0], _frames_of_file(frames)
    if len({(one.type, one.bits) for one in headers}) > 1:
        raise DecodeError("The frames of the instance have pixels of different types.", "Ask for each frame.")
    told = {TOLD[keyword]: values for keyword, values in header.attributes.items()}
    row = {
        **{attribute.tag: _element(attribute.vr, *values) for attribute, values in told.items()},
        "00080018": _element("UI", info.sop_instance_uid),
        "00080020": _day(info.study_date),
        "00080050": _element("SH"),
        "00080060": _element("CS", info.modality),
        "0008103E": _element("LO", info.series_description),
        **_patient(),
        "00180015": _element("CS", info.body_part),
        "0020000D": _element("UI", info.study_uid),
        "0020000E": _element("UI", info.series_uid),
        "00200011": _element("IS", info.series_number),
        "00200013": _element("IS", info.instance_number),
        "00280008": _element("IS", count if count > 1 else None),
        "00280010": _element("US", info.rows),
        "00280011": _element("US", info.columns),
        **_pixels(header),
    }
    if len(headers) > 1:
        row |= _groups(frames, headers, count)
    else:
        meaning = _shown(header)
        row |= {**_plane(info), **_position(info), **_orientation(meaning), **_values(meaning, header.type)}
    return {tag: row[tag] for tag in sorted(row) if "Value" in row[tag] or tag in _EMPTY}


_EMPTY = ("00080050", "00100010", "00100020", "00100030", "00100040")
"""Attributes that viewers expect, if only without a value."""


def _groups(frames: Sequence[EntryInfo], headers: Sequence[FileHeader], count: int) -> Row:
    """Return the functional groups (PS3.3 C.7.6.16) of all frames, also of those that are not indexed."""
    groups: dict[int, Row] = {}
    for frame, header in zip(frames, headers, strict=True):
        values = _values(_shown(header), header.type)
        parts = {
            "00209113": _position(frame.info),
            "00209116": _orientation(header.meaning),
            "00289110": _plane(frame.info),
            "00289132": {tag: one for tag, one in values.items() if tag in _WINDOWS},
            "00289145": {tag: one for tag, one in values.items() if tag in _RESCALE},
        }
        groups[frame.info.frame_number] = {tag: _element("SQ", part) for tag, part in parts.items() if part}
    each = [groups.get(number, {}) for number in range(1, count + 1)]
    return {"52009229": _element("SQ", {}), "52009230": _element("SQ", *each)}


_RESCALE = ("00281052", "00281053", "00281054")
_WINDOWS = ("00281050", "00281051", "00281056")


def _values(meaning: Meaning, kind: PixelType) -> Row:
    """Return what stored values mean and how they are shown (PS3.3 C.11.1, C.11.2); nothing for colour."""
    if kind == "rgb8":
        return {}
    row = {"00281052": _element("DS", meaning.intercept), "00281053": _element("DS", meaning.slope)}
    if meaning.units is StoredUnits.HU:
        row["00281054"] = _element("LO", "HU")
    if meaning.windows:
        row["00281050"] = _element("DS", *(centre for centre, _ in meaning.windows))
        row["00281051"] = _element("DS", *(width for _, width in meaning.windows))
        row["00281056"] = _element("CS", meaning.window_function)
    if meaning.padding is not None:
        vr = "SS" if kind == "int16" else "US"
        row["00280120"] = _element(vr, meaning.padding[0])
        row["00280121"] = _element(vr, meaning.padding[1])
    return row


def _shown(header: FileHeader) -> Meaning:
    """Return the meaning in a viewer's terms: presentation values are shown as they are."""
    meaning = header.meaning
    if meaning.units is not StoredUnits.PRESENTATION:
        return meaning
    return Meaning(
        _SHOWN.units, windows=_SHOWN.windows, orientation=meaning.orientation, directions=meaning.directions
    )


def _pixels(header: FileHeader) -> Row:
    """Return the layout of a frame's samples as they are given (PS3.3 C.7.6.3)."""
    colour = header.type == "rgb8"
    grey = "MONOCHROME1" if header.meaning.inverted else "MONOCHROME2"
    row = {
        "00280002": _element("US", 3 if colour else 1),
        "00280004": _element("CS", "RGB" if colour else grey),
        "00280100": _element("US", 8 if colour else 16),
        "00280101": _element("US", header.bits),
        "00280102": _element("US", header.bits - 1),
        "00280103": _element("US", 1 if header.type == "int16" else 0),
    }
    return {**row, "00280006": _element("US", 0)} if colour else row


def _plane(info: FrameInfo) -> Row:
    row = {}
    if info.spacing is not None:
        row["00280030"] = _element("DS", *info.spacing)
    if info.slice_thickness_mm is not None:
        row["00180050"] = _element("DS", info.slice_thickness_mm)
    return row


def _position(info: FrameInfo) -> Row:
    return {} if info.position is None else {"00200032": _element("DS", *info.position)}


def _orientation(meaning: Meaning) -> Row:
    return {} if meaning.orientation is None else {"00200037": _element("DS", *meaning.orientation)}


def _patient() -> Row:
    return {"00100010": _element("PN"), "00100020": _element("LO"), "00100030": _element("DA"),
            "00100040": _element("CS")}  # fmt: skip


def _frames_of_file(frames: Sequence[EntryInfo]) -> int:
    """Return the number of frames of an instance's file, as far as it is known."""
    digests = frames[0].digests
    known = None if digests is None else digests.file_frames
    return known or max(frame.info.frame_number for frame in frames)


def _day(value: date | None) -> dict[str, Any]:
    # strftime writes the years before 1000 without their zeros.
    return _element("DA", None if value is None else value.isoformat().replace("-", ""))


def _element(vr: str, *values: str | float | Mapping[str, Any] | None) -> dict[str, Any]:
    kept = [value for value in values if value is not None]
    return {"vr": vr, "Value": kept} if kept else {"vr": vr}
