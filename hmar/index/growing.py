"""Append-only arrays: readers keep valid views while rows are appended."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
_GROWTH = 1.5
_SMALLEST = 1024


class GrowingArray(Generic[Scalar]):
    """Rows appended at amortised constant cost; views that were handed out never change.

    Parameters
    ----------
    values : ndarray, shape (n, ...)
        The first rows; they are not copied, may be read-only, and decide dtype and width.
    """

    def __init__(self, values: NDArray[Scalar]) -> None:
        self._buffer = values
        self._length = len(values)

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> NDArray[Scalar]:
        """A view of the current rows; appending neither extends it nor moves its data."""
        return self._buffer[: self._length]

    def extend(self, rows: NDArray[Any]) -> None:
        """Append rows."""
        needed = self._length + len(rows)
        if needed > len(self._buffer):
            self._grow(grown(len(self._buffer), needed))
        if len(rows):
            self._buffer[self._length : needed] = rows
        self._length = needed

    def frozen(self) -> GrowingArray[Scalar]:
        """Return an independent array of the current rows: appending to either does not affect the other."""
        return GrowingArray(self.values)

    def _grow(self, capacity: int) -> None:
        larger = np.empty((capacity, *self._buffer.shape[1:]), self._buffer.dtype)
        larger[: self._length] = self.values
        self._buffer = larger


def grown(capacity: int, needed: int) -> int:
    """Return the next capacity of a buffer that is to hold ``needed`` rows."""
    return max(needed, int(capacity * _GROWTH), _SMALLEST)
