"""What a child answers, as JSON and back. The child is not trusted: everything is checked on the way back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any, get_args

from hmar.decoding.limits import MAX_FRAME_PIXELS
from hmar.decoding.messages import MessageError
from hmar.errors import DecodeError, HmarError, LimitError, NoImageError, ParameterError
from hmar.properties.declaration import Property
from hmar.properties.table import TABLE
from hmar.values.frames import FloatArray, FrameInfo, Units
from hmar.values.geometry import Spacing
from hmar.values.headers import FileHeader, told_values
from hmar.values.identified import Identified
from hmar.values.orientation import cosines_of, is_direction
from hmar.values.patients import is_patient_key
from hmar.values.stored import MAX_WINDOWS, Meaning, PixelType, StoredUnits, WindowFunction

_ERRORS: dict[str, type[HmarError]] = {
    "limit": LimitError,
    "no image": NoImageError,
    "parameter": ParameterError,
    "decode": DecodeError,
}
_MAX_TEXT = 1000
_UID = re.compile(r"[0-9.]{1,64}")
_STACK = re.compile(r"[0-9a-f]{16}")
_INTEGER = 2**31


def error_answer(error: HmarError) -> dict[str, str]:
    """Return the header that carries an error."""
    kind = next((kind for kind, known in _ERRORS.items() if isinstance(error, known)), "decode")
    return {"error": kind, "detail": error.detail[:_MAX_TEXT], "remedy": error.remedy[:_MAX_TEXT]}


def raise_error(answer: Mapping[str, Any]) -> None:
    """Raise the error that an answer carries, if it carries one."""
    if "error" not in answer:
        return
    kind = _ERRORS.get(str(answer["error"]))
    if kind is None:
        raise MessageError
    raise kind(_text(answer.get("detail")), _text(answer.get("remedy")))


def info_answer(info: FrameInfo) -> dict[str, Any]:
    """Return an info as JSON."""
    values = {item.name: getattr(info, item.name) for item in fields(info)}
    return values | {name: item.to_json(values[name]) for name, item in TABLE.items()}


def read_info(answer: Any, frame_number: int) -> FrameInfo:
    """Return the info that JSON stands for; raises MessageError if any part of it cannot be."""
    try:
        values = dict(answer)
        spacing, position = values["spacing"], values["position"]
        values |= {
            "spacing": None if spacing is None else Spacing(*_floats(spacing, 2)),
            "position": None if position is None else _floats(position, 3),
            **{name: _property(item, values[name]) for name, item in TABLE.items()},
        }
        info = FrameInfo(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise MessageError from error
    if not _is_sound(info) or info.frame_number != frame_number:
        raise MessageError
    return info


def read_identified(answer: Any) -> Identified:
    """Return what an instance is, from JSON; raises MessageError if any part of it cannot be."""
    try:
        found = Identified(**answer)
    except TypeError as error:
        raise MessageError from error
    uids = (found.study_uid, found.sop_instance_uid, found.sop_class_uid)
    if not all(uid == "" or _matches(_UID, uid) for uid in uids) or not all(
        isinstance(flag, bool) for flag in (found.has_pixels, found.decodable)
    ):
        raise MessageError
    return found if found.fault is None else replace(found, fault=_text(found.fault))


def read_size(answer: Mapping[str, Any], key: str, most: int) -> int:
    """Return a whole number from 1 to ``most``; raises MessageError for anything else."""
    value: Any = answer.get(key)
    if not _is_integer(value) or not 1 <= value <= most:
        raise MessageError
    return int(value)


def read_units(answer: Mapping[str, Any]) -> tuple[Units, tuple[float, float] | None]:
    """Return a frame's units and display window; raises MessageError for what cannot be."""
    window = answer.get("window")
    try:
        units = Units(str(answer.get("units")))
        return units, None if window is None else _floats(window, 2)
    except (TypeError, ValueError) as error:
        raise MessageError from error


def read_uid(answer: Mapping[str, Any], key: str) -> str | None:
    """Return a UID, None where there is none; raises MessageError for anything else."""
    value = answer.get(key)
    if value is not None and not _matches(_UID, value):
        raise MessageError
    return value


def meaning_answer(meaning: Meaning) -> dict[str, Any]:
    """Return what stored values mean as JSON."""
    return asdict(meaning)


def read_type(answer: Mapping[str, Any]) -> PixelType:
    """Return the type of stored values; raises MessageError for one that there is not."""
    said = answer.get("type")
    for known in get_args(PixelType):
        if said == known:
            return known  # type: ignore[no-any-return] # get_args tells no types
    raise MessageError


def read_meaning(answer: Any) -> Meaning:
    """Return what stored values mean; raises MessageError if any part of it cannot be."""
    try:
        values = dict(answer)
        padding, orientation, letters = values["padding"], values["orientation"], values["directions"]
        slope, intercept = _floats([values["slope"], values["intercept"]], 2)
        values |= {
            "units": StoredUnits(values["units"]),
            "slope": slope,
            "intercept": intercept,
            "units_note": read_note({"note": values["units_note"]}),
            "windows": tuple(_floats(window, 2) for window in values["windows"]),
            "padding": None if padding is None else _padding(padding),
            "orientation": None if orientation is None else cosines_of(_floats(orientation, 6)),
            "directions": None if letters is None else (letters[0], letters[1]),
        }
        meaning = Meaning(**values)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise MessageError from error
    if not _is_sound_meaning(meaning):
        raise MessageError
    return meaning


def header_answer(header: FileHeader) -> dict[str, Any]:
    """Return what is told of a file as JSON."""
    return asdict(header)


def read_header(answer: Any) -> FileHeader:
    """Return what is told of a file; raises MessageError if any part of it cannot be."""
    try:
        values = dict(answer)
        attributes = {name: told_values(name, list(found)) for name, found in values["attributes"].items()}
        header = FileHeader(
            read_type(values),
            read_size(values, "bits", 16),
            read_meaning(values["meaning"]),
            values["transfer_syntax_uid"],
            attributes,
        )
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise MessageError from error
    known = header.transfer_syntax_uid == "" or _matches(_UID, header.transfer_syntax_uid)
    if not known or not all(attributes.values()):
        raise MessageError
    return header


def read_note(answer: Mapping[str, Any]) -> str | None:
    """Return why a frame has its units, in ASCII, None if nothing is said; raises MessageError otherwise."""
    note = answer.get("note")
    if note is None:
        return None
    if not _text(note).isascii():
        raise MessageError
    return _text(note)


def check_values(values: FloatArray, units: Units) -> None:
    """Raise MessageError for values outside the range of their units; NaN is outside of every range."""
    low, high = float(values.min()), float(values.max())
    least, most = (-1024.0, math.inf) if units is Units.HU else (0.0, 1.0)
    if not (least <= low and high <= most and high < math.inf):
        raise MessageError


def _is_sound(info: FrameInfo) -> bool:
    """Whether every value besides the properties has the type and range that FrameInfo promises."""
    return (
        all(_matches(_UID, uid) for uid in (info.study_uid, info.series_uid, info.sop_instance_uid))
        and (info.patient_key is None or is_patient_key(info.patient_key))
        and all(_is_integer(size) and size >= 1 for size in (info.rows, info.columns))
        and info.rows * info.columns <= MAX_FRAME_PIXELS
        and (info.spacing is None or min(info.spacing) > 0)
        and (info.pixel_aspect is None or _is_aspect(info.pixel_aspect))
        and all(
            number is None or (_is_integer(number) and abs(number) < _INTEGER)
            for number in (info.series_number, info.instance_number)
        )
        and isinstance(info.uids_derived, bool)
        and (info.stack is None or _matches(_STACK, info.stack))
        and (info.along_mm is None or (isinstance(info.along_mm, float) and math.isfinite(info.along_mm)))
        and (info.stack is None) == (info.along_mm is None)
    )


def _is_sound_meaning(meaning: Meaning) -> bool:
    return (
        meaning.slope != 0
        and isinstance(meaning.inverted, bool)
        and meaning.window_function in get_args(WindowFunction)
        and len(meaning.windows) <= MAX_WINDOWS
        and all(width > 0 for _, width in meaning.windows)
        and (meaning.directions is None or all(map(_is_direction, meaning.directions)))
    )


def _is_direction(letters: object) -> bool:
    return isinstance(letters, str) and is_direction(letters)


def _padding(ends: Any) -> tuple[int, int]:
    low, high = ends
    if not (_is_integer(low) and _is_integer(high) and low <= high):
        raise ValueError
    return low, high


def _property(item: Property, value: Any) -> Any:
    """Return a property's value from JSON; raises ValueError unless a header can say so."""
    if value is None and item.unknown is None:
        return None
    if not item.sources:
        raise ValueError  # no file says it: whoever indexes does
    if item.kind.stored is date:
        return date.fromisoformat(value)
    if item.kind.stored is float and _is_integer(value):
        value = float(value)
    if type(value) is not item.kind.stored:
        raise ValueError
    if isinstance(value, str) and item.kind.read([value]) != value:
        raise ValueError
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_range(value, item.kind.value_schema())
    return value


def _check_range(value: float, schema: Mapping[str, Any]) -> None:
    within = (
        schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < value < math.inf
    )
    if not within:
        raise ValueError


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_aspect(value: object) -> bool:
    return isinstance(value, float) and 0 < value < math.inf


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or not value.isprintable():
        raise MessageError
    return value


def _floats(value: Any, count: int) -> Any:
    numbers = tuple(float(item) for item in value)
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError
    return numbers
