"""Days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from hmar.errors import ParameterError, shown
from hmar.properties.header_text import day
from hmar.properties.kinds.bands import Bands
from hmar.properties.kinds.kind import Schema

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNKNOWN = 0


class Days(Bands[date]):
    """Days. A column holds :meth:`datetime.date.toordinal`, days since 1 January of year 1."""

    stored = date
    dtype = "<i4"
    ends = ("from", "to")
    separator = ".."

    def read(self, values: Sequence[str]) -> date | None:
        """Return the first value."""
        return day(values[0]) if values else None

    def number(self, value: date | None) -> int:
        """Return the number of a day."""
        return _UNKNOWN if value is None else value.toordinal()

    def json_end(self, name: str, asked: object, end: object) -> date:
        """Return a day in the form YYYY-MM-DD."""
        if not isinstance(end, str):
            raise ParameterError(f"{name} is {shown(asked)}.", "Give YYYY-MM-DD in quotes.")
        return self.typed_end(end)

    def typed_end(self, text: str) -> date:
        """Return a day in the form YYYY-MM-DD, the only one of ISO 8601 that is taken."""
        try:
            return date.fromisoformat(text if _ISO.fullmatch(text) else "")
        except ValueError as error:
            raise ParameterError(f"The {self.noun} is {shown(text)}.", "Give YYYY-MM-DD.") from error

    def band(self, first: date | None, last: date | None) -> tuple[date, date]:
        """Return both ends; one that is left out becomes the first or the last possible day."""
        band = first or date.min, last or date.max
        if (first is None and last is None) or band[0] > band[1]:
            raise ParameterError(
                f"The {self.noun}s are {first} to {last}.",
                "Give YYYY-MM-DD for one or both, the earlier first.",
            )
        return band

    def to_json(self, value: date) -> str:
        """Return a day in the form YYYY-MM-DD."""
        return value.isoformat()

    def from_answer(self, told: str) -> date:
        """Return the day of a text in the form YYYY-MM-DD."""
        return date.fromisoformat(told)

    def value_schema(self) -> Schema:
        """Describe a day."""
        return {"type": "string", "format": "date"}

    def end_schema(self) -> Schema:
        """Describe a day."""
        return {"type": "string", "format": "date"}
