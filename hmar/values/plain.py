"""Numbers as JSON holds them, which has neither NaN nor infinity, and numbers from what a caller gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

Json = dict[str, object]


def number(value: float) -> float | int | None:
    """Return a number as JSON can hold it: whole ones as integers, null for NaN and infinity."""
    value = float(value)
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else round(value, 6)


def number_of(value: object) -> float:
    """Return a number or a number's text as float; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | Real):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def optional(value: float | None) -> float | int | None:
    """Return a number as :func:`number` does, null for one that is not known."""
    return None if value is None else number(value)


def weights(gate: tuple[float, float]) -> Json:
    """Return the router's weights by the names of the experts."""
    return {"global": number(gate[0]), "local": number(gate[1])}


def finite_json(value: Any) -> Any:
    """Return the same value for JSON, with None for every number in it that is not finite.

    Mappings become dicts with text as keys, tuples lists; what is no number stays as it is.
    """
    if isinstance(value, Mapping):
        return {str(key): finite_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(item) for item in value]
    if isinstance(value, Real) and not math.isfinite(value):
        return None
    return value
