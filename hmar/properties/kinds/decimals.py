"""Lengths and other measures."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from hmar.errors import ParameterError, shown
from hmar.properties.header_text import decimal
from hmar.properties.kinds.bands import Bands
from hmar.properties.kinds.kind import Schema

_PLACES = 3


class Decimals(Bands[float]):
    """Numbers above 0, rounded to three decimals.

    They are rounded because writers differ in the last digits: 0.7 is also written as 0.69999999.

    Parameters
    ----------
    noun, unit : str
        What a value is called in messages, and what it is measured in.
    """

    stored = float
    dtype = "<f8"

    def __init__(self, noun: str, unit: str) -> None:
        super().__init__(noun)
        self._unit = unit

    def read(self, values: Sequence[str]) -> float | None:
        """Return the first value, None unless it is above 0."""
        found = decimal(values[0]) if values else None
        rounded = 0.0 if found is None else round(found, _PLACES)
        return rounded if rounded > 0 else None

    def number(self, value: float | None) -> float:
        """Return a number, NaN for none."""
        return math.nan if value is None else value

    def json_end(self, name: str, asked: object, end: object) -> float:
        """Return a finite number, which true and false are not."""
        if not isinstance(end, bool) and isinstance(end, int | float) and abs(end) < math.inf:
            try:
                return float(end)
            except OverflowError:
                pass
        raise ParameterError(f"{name} is {shown(asked)}.", f"Give numbers of {self._unit}.")

    def typed_end(self, text: str) -> float:
        """Return a number with a point or without."""
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
            raise ParameterError(f"The {self.noun} is {shown(text)}.", f"Give {self._unit}, such as 1.25.")
        return float(text)

    def band(self, first: float | None, last: float | None) -> tuple[float, float]:
        """Return both ends, 0 and infinity for those left out."""
        band = 0.0 if first is None else first, math.inf if last is None else last
        if (first is None and last is None) or not 0 <= band[0] <= band[1]:
            raise ParameterError(
                f"The {self.noun} band is {first} to {last} {self._unit}.",
                f"Give {self._unit} from 0, the lesser first.",
            )
        return band

    def to_json(self, value: float) -> float | int:
        """Return a number, a whole one as an integer."""
        return int(value) if value.is_integer() else value

    def from_answer(self, told: float) -> float:
        """Return a number, which JSON may hold as an integer."""
        return float(told)

    def value_schema(self) -> Schema:
        """Describe a number."""
        return {"type": "number", "exclusiveMinimum": 0}

    def end_schema(self) -> Schema:
        """Describe a number."""
        return {"type": "number", "minimum": 0}
