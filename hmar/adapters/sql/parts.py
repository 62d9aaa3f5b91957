"""Lists of values that are too long for one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeVar

_AT_ONCE = 5000
"""Values in one IN list; SQLite takes 32766 parameters."""
_Value = TypeVar("_Value", int, str)


def parts(values: Collection[_Value]) -> Iterator[list[_Value]]:
    """Split values into lists that one statement can take."""
    listed = list(values)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]
