"""Arrays that grow at their end while others read what is there."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
_GROWTH = 1.5
_SMALLEST = 1024


class GrowingArray(Generic[Scalar]):
    """Rows that are appended at amortised constant cost; what has been handed out never changes.

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
        """The rows so far, a view: rows appended later are not in it, and move nothing under it."""
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
        """Return the rows as they are now; appending to the one or the other does not show in the other."""
        return GrowingArray(self.values)

    def _grow(self, capacity: int) -> None:
        larger = np.empty((capacity, *self._buffer.shape[1:]), self._buffer.dtype)
        larger[: self._length] = self.values
        self._buffer = larger


def grown(capacity: int, needed: int) -> int:
    """Return the next capacity of a buffer that is to hold ``needed`` rows."""
    return max(needed, int(capacity * _GROWTH), _SMALLEST)
