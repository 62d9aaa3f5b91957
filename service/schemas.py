"""Requests in: fields checked once, at the border, and turned into values of the domain."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

from flask import Request

from hmar.errors import DecodeError, ParameterError
from hmar.types import Bits, Box, Mode, Units
from service.problems import MalformedRequestError, MediaTypeError

MAX_K = 1000
DEFAULT_COLLECTION = "default"
_COLLECTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UID = re.compile(r"[!-~]{1,64}")
_SEARCH_FIELDS = frozenset({"frame", "region", "k", "mode", "bits", "collection"})
_NAMED_FIELDS = (_SEARCH_FIELDS - {"frame"}) | {"sop_instance_uid", "frame_number"}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A query: the bytes of a file, or the UID of an indexed instance, and how to search."""

    upload: bytes | None
    sop_instance_uid: str | None
    frame_number: int
    region: Box | None
    k: int
    mode: Mode
    bits: Bits
    collection: str | None


def read_search(request: Request, *, with_region: bool) -> SearchRequest:
    """Read a search request, multipart or JSON; ``with_region``: the route searches for a region."""
    upload, uid = None, None
    if request.mimetype == "multipart/form-data":
        fields = _known(dict(request.form), _SEARCH_FIELDS)
        upload = uploaded_file(request)
        frame_number = whole_number(fields, "frame", 1, 1, 1_000_000)
    else:
        fields = _known(json_object(request), _NAMED_FIELDS)
        uid = _uid(fields)
        frame_number = whole_number(fields, "frame_number", 1, 1, 1_000_000)
    default_mode = "local" if with_region else "auto"
    return SearchRequest(
        upload,
        uid,
        frame_number,
        _region(fields.get("region"), with_region),
        whole_number(fields, "k", 10, 1, MAX_K),
        cast(Mode, _choice(fields, "mode", ("global", "local", "auto"), default_mode)),
        cast(Bits, int(_choice(fields, "bits", ("64", "128"), "128"))),
        collection_of(fields, None),
    )


def json_object(request: Request) -> dict[str, object]:
    """Return the body's JSON object; anything else is refused."""
    if not request.is_json:
        raise MediaTypeError(
            f"The content type is {shown(request.mimetype)}.",
            "Send application/json, or multipart/form-data with a part named file.",
        )
    try:
        body = request.get_json(cache=False)
    except RecursionError as error:
        raise MalformedRequestError("The JSON is nested too deeply.", "Send one flat JSON object.") from error
    if not isinstance(body, dict):
        raise MalformedRequestError(f"The JSON is a {type(body).__name__}.", "Send one JSON object.")
    return body


def uploaded_file(request: Request) -> bytes:
    """Return the bytes of the part named file."""
    files = request.files.getlist("file")
    if len(files) != 1:
        raise MalformedRequestError(
            f"The body has {len(files)} parts named file with a file name.", "Send one, with a file name."
        )
    content: bytes = files[0].read()
    return content


def uploaded_files(request: Request) -> list[bytes]:
    """Return the bytes of every part named file; none may be missing or empty."""
    contents = [part.read() for part in request.files.getlist("file")]
    if not contents:
        raise MalformedRequestError(
            "The body has no part named file with a file name.", "Send at least one such part."
        )
    for number, content in enumerate(contents, start=1):
        if not content:
            raise DecodeError(f"File {number} of {len(contents)} is empty (0 bytes).", "Leave it out.")
    return contents


def import_folder(fields: Mapping[str, object]) -> str:
    """Return the folder to index, relative to the import folder and inside it."""
    folder = fields.get("folder")
    remedy = "Give a folder below HMAR_IMPORT_DIR, relative to it, without '..' ('.' is all of it)."
    if not isinstance(folder, str) or not folder.strip() or not folder.isprintable() or "\\" in folder:
        raise ParameterError(f"folder is {shown(folder)}.", remedy)
    path = PurePosixPath(folder.strip())
    if path.is_absolute() or ".." in path.parts:
        raise ParameterError(f"folder is {shown(folder)}, outside the import folder.", remedy)
    return str(path)


def collection_of(fields: Mapping[str, object], default: str | None) -> str | None:
    """Return the collection's name, ``default`` where none is given."""
    name = fields.get("collection")
    if name is None:
        return default
    if not isinstance(name, str) or not _COLLECTION.fullmatch(name):
        raise ParameterError(
            f"collection is {shown(name)}.", "Give 1 to 64 letters, digits, '.', '_' or '-'."
        )
    return name


def whole_number(fields: Mapping[str, object], name: str, default: int, low: int, high: int) -> int:
    """Return an integer field, or its default; raises ParameterError outside ``low`` to ``high``."""
    value = fields.get(name, default)
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ParameterError(f"{name} is {shown(value)}.", f"Give a whole number from {low} to {high}.")
    return value


def display_window(fields: Mapping[str, str]) -> tuple[float, float] | None:
    """Return (centre, width) of the display window, None where neither is given."""
    if "centre" not in fields and "width" not in fields:
        return None
    centre, width = (_number(fields.get(name)) for name in ("centre", "width"))
    if not (math.isfinite(centre) and math.isfinite(width) and width >= 1):
        given = f"{shown(fields.get('centre'))} / {shown(fields.get('width'))}"
        raise ParameterError(
            f"The display window (centre / width) is {given}.", "Give both as numbers, width at least 1."
        )
    return centre, width


def window_units(fields: Mapping[str, str]) -> Units | None:
    """Return the units that a display window is meant in, None where it is meant in those of the frame."""
    units = fields.get("units")
    if units is None:
        return None
    try:
        return Units(units)
    except ValueError as error:
        raise ParameterError(f"units is {shown(units)}.", "Give HU or presentation.") from error


def shown(value: object) -> str:
    """Return a value as an error may quote it: cut short, and with nothing that moves a cursor."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _known(fields: dict[str, object], known: frozenset[str]) -> dict[str, object]:
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ParameterError(f"There is no field {shown(unknown[0])}.", f"Use {', '.join(sorted(known))}.")
    return fields


def _uid(fields: Mapping[str, object]) -> str:
    uid = fields.get("sop_instance_uid")
    if not isinstance(uid, str) or not _UID.fullmatch(uid):
        raise ParameterError(
            f"sop_instance_uid is {shown(uid)}.", "Give the UID of an indexed instance, or send a file."
        )
    return uid


def _choice(fields: Mapping[str, object], name: str, choices: tuple[str, ...], default: str) -> str:
    value = fields.get(name, default)
    if isinstance(value, bool) or str(value) not in choices:
        raise ParameterError(f"{name} is {shown(value)}.", f"Give one of {', '.join(choices)}.")
    return str(value)


def _region(value: object, wanted: bool) -> Box | None:
    if value is None and not wanted:
        return None
    if not wanted:
        raise ParameterError(
            f"region is {shown(value)}, but this route searches for the whole image.",
            "Leave it out, or use /api/v1/search/region.",
        )
    parts = value.split(",") if isinstance(value, str) else value
    numbers = [_number(part) for part in parts] if isinstance(parts, list) else []
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise ParameterError(
            f"region is {shown(value)}.", "Give x,y,width,height in source pixels: four finite numbers."
        )
    return Box(*numbers)


def _number(value: object) -> float:
    """Return a number or a number's text as float; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan
