"""An array that grows at its end."""

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
        The first rows; they are not copied, and the array decides dtype and width.
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
            self._grow(max(needed, int(len(self._buffer) * _GROWTH), _SMALLEST))
        self._buffer[self._length : needed] = rows
        self._length = needed

    def _grow(self, capacity: int) -> None:
        larger = np.empty((capacity, *self._buffer.shape[1:]), self._buffer.dtype)
        larger[: self._length] = self.values
        self._buffer = larger
