"""Rows of an answer to a query: DICOM JSON (PS3.18 F), of which only some attributes are looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_IS_DIGITS = 12
"""Of an integer string (PS3.5 6.2, IS)."""
Row = Mapping[str, Any]

STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"
SOP_CLASS = "00080016"
SERIES_INSTANCES = "00201209"
"""Number of Series Related Instances."""


def rows_of(data: bytes) -> list[Row] | None:
    """Return the rows of an answer, none for an empty one; None where it is no DICOM JSON."""
    if not data.strip():
        return []
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, list) or not all(isinstance(row, dict) for row in told):
        return None
    return told


def text(row: Row, tag: str) -> str:
    """Return the first value of an attribute as text, empty where there is none."""
    element = row.get(tag) or row.get(tag.lower())
    values = element.get("Value") if isinstance(element, dict) else None
    first = values[0] if isinstance(values, list) and values else ""
    return first.strip(" \0") if isinstance(first, str) else str(first) if isinstance(first, int) else ""


def number(row: Row, tag: str) -> int | None:
    """Return the first value of an attribute as a whole number of up to 12 digits, None where it is none."""
    value = text(row, tag)
    return int(value) if value.isdecimal() and len(value) <= _IS_DIGITS else None
