"""Fields of requests, checked once, at the border, and turned into values of the domain."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from hmar.errors import ParameterError, shown
from hmar.properties.kinds.labels import label_value
from hmar.values.frames import Units
from hmar.values.names import checked_name
from hmar.values.plain import number_of
from service.readers.known import check_fields

DEFAULT_COLLECTION = "default"


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
    return default if name is None else checked_name("collection", name)


def label_of(fields: Mapping[str, object]) -> str | None:
    """Return the label to give, None where there is none."""
    label = fields.get("label")
    if label is None:
        return None
    if not isinstance(label, str):
        raise ParameterError(f"label is {shown(label)}.", "Give a text.")
    return label_value(label)


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
    centre, width = (number_of(fields.get(name)) for name in ("centre", "width"))
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


def known_fields(
    fields: dict[str, object], known: frozenset[str], null: Collection[str] = ()
) -> dict[str, object]:
    """Return the fields of a JSON object if all of them are known, and none is null but those that may be.

    Raises
    ------
    ParameterError
        For the first field that is not known, or is null: of a field that is left out, the default holds, and
        null is no way of leaving it out.
    """
    check_fields(fields, known)
    for name, value in fields.items():
        if value is None and name not in null:
            raise ParameterError(f"{name} is null.", "Give a value, or leave the field out.")
    return fields
