"""Numbers that JSON can hold: it has neither NaN nor infinity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any


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
