"""Yes or no."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.errors import ParameterError, shown
from hmar.properties.kinds.kind import Kind, Positions, Schema

_NO = re.compile(r"(NO|NONE|NOT|WITHOUT|W/O|NON[- ]?CONTRAST)\b.*|N")
_SAYS_NOTHING = re.compile(r"[^A-Z]*|UNK|UNKNOWN|N\.?A\.?|N/A")
_UNKNOWN = -1
_TYPED = {"yes": True, "no": False}


class YesNo(Kind[bool, bool]):
    """Whether something holds: what an element says beyond that is not kept.

    A text that begins with NO, NONE, NOT, WITHOUT or NON-CONTRAST says no. One without a letter, UNKNOWN and
    N/A say nothing, like an element that is absent or empty. Any other says yes; one of several is enough.
    """

    stored = bool
    dtype = "|i1"

    def read(self, values: Sequence[str]) -> bool | None:
        """Return whether any value says yes, None where none says anything."""
        texts = [value.strip().upper() for value in values]
        telling = [text for text in texts if not _SAYS_NOTHING.fullmatch(text)]
        return any(not _NO.fullmatch(text) for text in telling) if telling else None

    def encode(self, values: Sequence[bool | None], _positions: Positions) -> list[int]:
        """Return 1 for yes, 0 for no, -1 for unknown."""
        return [_UNKNOWN if value is None else int(value) for value in values]

    def fitting(self, column: NDArray[Any], condition: bool, _positions: Positions) -> NDArray[np.bool_]:
        """Return where the column holds the answer asked for."""
        equal: NDArray[np.bool_] = column == int(condition)
        return equal

    def fits(self, value: bool | None, condition: bool) -> bool:
        """Whether the answer is the one asked for."""
        return value is condition

    def from_json(self, name: str, asked: object) -> bool:
        """Return true or false."""
        if not isinstance(asked, bool):
            raise ParameterError(f"{name} is {shown(asked)}.", "Give true or false.")
        return asked

    def from_options(self, name: str, typed: Sequence[str]) -> bool:
        """Return true for yes, false for no."""
        answer = _TYPED.get(typed[0].strip().lower())
        if answer is None:
            raise ParameterError(f"{name} is {shown(typed[0])}.", "Give yes or no.")
        return answer

    def value_schema(self) -> Schema:
        """Describe true or false."""
        return {"type": "boolean"}

    def condition_schema(self) -> Schema:
        """Describe true or false."""
        return {"type": "boolean"}

    def json_forms(self, _example: str) -> str:
        """Return both."""
        return "`true` or `false`"

    def option_forms(self, _example: str) -> str:
        """Return both."""
        return "`yes` or `no`"
