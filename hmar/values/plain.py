"""Plain values out: numbers as JSON can hold them, for every ``to_dict``. No NaN leaves here."""

from __future__ import annotations

import math

Json = dict[str, object]


def number(value: float) -> float | int | None:
    """Return a number as JSON can hold it: whole ones as integers, null for NaN and infinity."""
    value = float(value)
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else round(value, 6)


def optional(value: float | None) -> float | int | None:
    """Return a number as :func:`number` does, null for one that is not known."""
    return None if value is None else number(value)


def weights(gate: tuple[float, float]) -> Json:
    """Return the router's weights by the names of the experts."""
    return {"global": number(gate[0]), "local": number(gate[1])}
