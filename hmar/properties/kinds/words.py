"""Descriptions made of known words, of which a filter asks for some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.errors import ParameterError, shown
from hmar.properties.description import LENGTH, described, words_of
from hmar.properties.kinds.any_of import MAX_VALUES, AnyOf
from hmar.properties.kinds.kind import Positions, Schema

_SHORTEST = 2
"""Characters of the shortest word; single letters are initials."""


class Words(AnyOf):
    """Descriptions reduced to words that can name nobody; see :func:`hmar.properties.description.described`.

    A text of a filter fits a description that has all its words, in any order.
    """

    length = LENGTH
    remedy = "Give words such as LUNG, FLAIR or 1.25mm; others are kept of no description."

    def read(self, values: Sequence[str]) -> str | None:
        """Return what is kept of all values together, for a typed backslash makes several of one text."""
        return described(" ".join(values))

    def kept(self, text: str) -> str | None:
        """Return the words of a description that are kept."""
        return described(text)

    def fitting(
        self, column: NDArray[Any], condition: frozenset[str], positions: Positions
    ) -> NDArray[np.bool_]:
        """Return where the column holds a description with all words of any of the texts."""
        wanted = [at for text, at in positions.items() if self.fits(text, condition)]
        found: NDArray[np.bool_] = np.isin(column, np.array(wanted, column.dtype))
        return found

    def fits(self, value: str | None, condition: frozenset[str]) -> bool:
        """Whether a description has all words of any of the texts."""
        return value is not None and any(set(value.split()).issuperset(text.split()) for text in condition)

    def condition_schema(self) -> Schema:
        """Describe a text or several; which words are known is not in the schema."""
        one = {"type": "string", "minLength": _SHORTEST}
        return {"oneOf": [one, {"type": "array", "minItems": 1, "maxItems": MAX_VALUES, "items": one}]}

    def _checked(self, name: str, text: str) -> str:
        if None in words_of(text):
            raise ParameterError(f"{name} is {shown(text)}.", self.remedy)
        return super()._checked(name, text)
