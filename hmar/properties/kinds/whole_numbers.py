"""Whole numbers from 0, of which the greatest stands for all above."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hmar.errors import ParameterError, shown
from hmar.properties.kinds.bands import Bands
from hmar.properties.kinds.kind import Schema

_UNKNOWN = 255


class WholeNumbers(Bands[int]):
    """Whole numbers from 0, of which the greatest stands for itself and all above.

    Parameters
    ----------
    noun, unit : str
        What a value is called in messages, and what it counts.
    greatest : int
        Below 255.
    number_of : callable
        Returns the number that an element's text says, None for none.
    """

    stored = int
    dtype = "|u1"

    def __init__(self, noun: str, unit: str, greatest: int, number_of: Callable[[str], int | None]) -> None:
        super().__init__(noun)
        self._unit = unit
        self._greatest = greatest
        self._number_of = number_of

    def read(self, values: Sequence[str]) -> int | None:
        """Return the first value, the greatest for all above it."""
        found = self._number_of(values[0]) if values else None
        return None if found is None else min(found, self._greatest)

    def number(self, value: int | None) -> int:
        """Return a number of 8 bits."""
        return _UNKNOWN if value is None else min(value, _UNKNOWN - 1)

    def json_end(self, name: str, asked: object, end: object) -> int:
        """Return a whole number, which true and false are not."""
        if isinstance(end, bool) or not isinstance(end, int):
            raise ParameterError(f"{name} is {shown(asked)}.", "Give whole numbers.")
        return end

    def typed_end(self, text: str) -> int:
        """Return a number of up to three digits."""
        if not re.fullmatch("[0-9]{1,3}", text):
            raise ParameterError(f"The {self.noun} is {shown(text)}.", f"Give whole {self._unit}.")
        return int(text)

    def band(self, first: int | None, last: int | None) -> tuple[int, int]:
        """Return both ends, 0 and the greatest for those left out."""
        greatest = self._greatest
        band = 0 if first is None else first, greatest if last is None else last
        if (first is None and last is None) or not 0 <= band[0] <= band[1] <= greatest:
            raise ParameterError(
                f"The {self.noun} band is {first} to {last} {self._unit}.",
                f"Give whole {self._unit} from 0 to {greatest}, the lesser first; {greatest} stands for "
                f"{greatest} and above.",
            )
        return band

    def value_schema(self) -> Schema:
        """Describe a whole number."""
        return {
            "type": "integer",
            "minimum": 0,
            "maximum": self._greatest,
            "description": f"{self._greatest} stands for {self._greatest} and above.",
        }

    def end_schema(self) -> Schema:
        """Describe a whole number."""
        return {"type": "integer", "minimum": 0, "maximum": self._greatest}
