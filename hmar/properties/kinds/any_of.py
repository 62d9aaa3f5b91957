"""Kinds whose values are texts, of which a filter asks for any of several."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.errors import ParameterError, shown
from hmar.properties.kinds.kind import Kind, Positions, Schema

MAX_VALUES = 100
"""Values of one filter, of which any may fit."""

_UNKNOWN = -1


class AnyOf(Kind[str, frozenset[str]]):
    """Texts in one form. A column holds positions in a list of those that occur, -1 for unknown."""

    stored = str
    dtype = "<i4"
    texts = True
    repeatable = True
    remedy: str
    """Remedy of the error for a text that cannot be a value."""

    @abstractmethod
    def kept(self, text: str) -> str | None:
        """Return a text in the form in which it is kept, None for one that cannot be a value."""

    def read(self, values: Sequence[str]) -> str | None:
        """Return the first value in the form in which it is kept."""
        return self.kept(values[0]) if values else None

    def encode(self, values: Sequence[str | None], positions: Positions) -> list[int]:
        """Return the position of each text."""
        return [_UNKNOWN if text is None else positions.setdefault(text, len(positions)) for text in values]

    def fitting(
        self, column: NDArray[Any], condition: frozenset[str], positions: Positions
    ) -> NDArray[np.bool_]:
        """Return where the column holds any of the texts."""
        found = np.zeros(len(column), np.bool_)
        for text in condition:
            if (position := positions.get(text)) is not None:
                found |= column == position
        return found

    def fits(self, value: str | None, condition: frozenset[str]) -> bool:
        """Whether a text is one of those asked for."""
        return value in condition

    def from_json(self, name: str, asked: object) -> frozenset[str]:
        """Return the texts of one text, or of a list of 1 to 100 of them."""
        listed = asked if isinstance(asked, list) else [asked]
        texts = [item for item in listed if isinstance(item, str)]
        if not 1 <= len(texts) <= MAX_VALUES or len(texts) < len(listed):
            raise ParameterError(
                f"{name} is {shown(asked)}.", f"Give a text, or a list of 1 to {MAX_VALUES} texts."
            )
        return self.from_options(name, texts)

    def from_options(self, name: str, typed: Sequence[str]) -> frozenset[str]:
        """Return the texts in the form in which they are kept."""
        return frozenset(self._checked(name, text) for text in typed)

    def _checked(self, name: str, text: str) -> str:
        kept = self.kept(text)
        if kept is None:
            raise ParameterError(f"{name} is {shown(text)}.", self.remedy)
        return kept

    def value_schema(self) -> Schema:
        """Describe a text."""
        return {"type": "string"}

    def condition_schema(self) -> Schema:
        """Describe a text or several."""
        one = {"type": "string", "minLength": 1}
        return {"oneOf": [one, {"type": "array", "minItems": 1, "maxItems": MAX_VALUES, "items": one}]}

    def json_forms(self, example: str) -> str:
        """Return one text as an example."""
        return f"`{json.dumps(example)}`, or several"

    def option_forms(self, example: str) -> str:
        """Return one text as an example."""
        return f"such as `{example}`"
