"""Kinds whose values have an order, of which a filter asks for a band."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from hmar.errors import ParameterError, shown
from hmar.properties.kinds.kind import Kind, Positions, Schema

Ordered = TypeVar("Ordered", int, float, date)


class Bands(Kind[Ordered, tuple[Ordered, Ordered]], Generic[Ordered]):
    """Values in an order. A band includes both its ends, of which one may be left out.

    Parameters
    ----------
    noun : str
        What a value is called in messages.
    """

    ends: ClassVar[tuple[str, str]] = ("min", "max")
    """What the ends of a band are called in a request."""
    separator: ClassVar[str] = "-"
    """What stands between them in an option."""

    def __init__(self, noun: str) -> None:
        self.noun = noun

    @abstractmethod
    def number(self, value: Ordered | None) -> float:
        """Return a value as a column holds it, unknown as what no band includes."""

    @abstractmethod
    def json_end(self, name: str, asked: object, end: object) -> Ordered:
        """Return one end of a request's band ``asked``; raises ParameterError."""

    @abstractmethod
    def typed_end(self, text: str) -> Ordered:
        """Return one end of an option's band; raises ParameterError."""

    @abstractmethod
    def band(self, first: Ordered | None, last: Ordered | None) -> tuple[Ordered, Ordered]:
        """Return both ends; one that is left out becomes the least or greatest value.

        Raises
        ------
        ParameterError
            If both are left out, or they are the wrong way round or out of range.
        """

    @abstractmethod
    def end_schema(self) -> Schema:
        """Describe one end of a request's band."""

    def encode(self, values: Sequence[Ordered | None], _positions: Positions) -> list[float]:
        """Return each value as a number."""
        return [self.number(value) for value in values]

    def fitting(
        self, column: NDArray[Any], condition: tuple[Ordered, Ordered], _positions: Positions
    ) -> NDArray[np.bool_]:
        """Return which values lie in a band."""
        first, last = map(self.number, condition)
        inside: NDArray[np.bool_] = (column >= first) & (column <= last)
        return inside

    def fits(self, value: Ordered | None, condition: tuple[Ordered, Ordered]) -> bool:
        """Whether a value lies in a band."""
        return value is not None and condition[0] <= value <= condition[1]

    def from_json(self, name: str, asked: object) -> tuple[Ordered, Ordered]:
        """Return the band of an object with one end or both."""
        if not isinstance(asked, dict) or not asked or set(asked) - set(self.ends) or None in asked.values():
            first, last = self.ends
            raise ParameterError(
                f"{name} is {shown(asked)}.", f"Give an object of {first} and {last}, or of one of them."
            )
        ends = map(asked.get, self.ends)
        return self.band(*(None if end is None else self.json_end(name, asked, end) for end in ends))

    def from_options(self, _name: str, typed: Sequence[str]) -> tuple[Ordered, Ordered]:
        """Return the band of a text with one end or both, and a separator."""
        first, separator, last = typed[0].partition(self.separator)
        if not separator:
            between = self.separator
            raise ParameterError(
                f"The {self.noun} is {shown(typed[0])}, which is not a range.",
                f"Give both ends, A{between}B, or one of them, A{between} or {between}B.",
            )
        return self.band(*(self.typed_end(end.strip()) if end.strip() else None for end in (first, last)))

    def condition_schema(self) -> Schema:
        """Describe an object with one end or both."""
        return {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {end: self.end_schema() for end in self.ends},
        }

    def json_forms(self, example: str) -> str:
        """Return a band with both ends."""
        band = self.from_options("", [example])
        ends = {end: self.to_json(value) for end, value in zip(self.ends, band, strict=True)}
        return f"`{json.dumps(ends)}`, or one of the two"

    def option_forms(self, example: str) -> str:
        """Return a band with both ends, and with one of them."""
        first, last = example.split(self.separator)
        return f"`{example}`, `{first}{self.separator}` or `{self.separator}{last}`"
