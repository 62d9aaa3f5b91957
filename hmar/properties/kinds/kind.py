"""What every kind of property can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Value = str | int | float | date | bool
"""A property's value; unknown is None."""
Condition = frozenset[str] | tuple[int, int] | tuple[float, float] | tuple[date, date] | bool
"""What a filter asks of a property: any of some texts, a band that includes both its ends, or yes or no."""
Schema = dict[str, Any]
"""A piece of JSON Schema."""
Positions = dict[str, int]
"""Texts of a column with their numbers, which count from 0."""

V = TypeVar("V", bound=Value)
C = TypeVar("C")


class Kind(ABC, Generic[V, C]):
    """How values of one kind are read from headers, kept in columns, filtered and described.

    A value of a header and a value of a filter go through the same rules, so that what is shown of a hit can
    be asked for, and finds it. What is unknown never fits a condition.
    """

    stored: ClassVar[type[Value]]
    """Python type of a value, from which the database's type follows."""
    length: int | None = None
    """Characters of the longest value, None where that is not fixed."""
    dtype: ClassVar[str]
    """Type of a column of the index."""
    texts: ClassVar[bool] = False
    """Whether a column holds positions in a list of texts."""
    repeatable: ClassVar[bool] = False
    """Whether an option of the command line may be given several times."""

    @abstractmethod
    def read(self, values: Sequence[str]) -> V | None:
        """Return the value to keep of an element's values, given as text; None where it is unknown."""

    @abstractmethod
    def encode(self, values: Sequence[V | None], positions: Positions) -> Sequence[int | float]:
        """Return values as a column holds them; new texts are added to ``positions``."""

    @abstractmethod
    def fitting(self, column: NDArray[Any], condition: C, positions: Positions) -> NDArray[np.bool_]:
        """Return which values of a column fit a condition."""

    @abstractmethod
    def fits(self, value: V | None, condition: C) -> bool:
        """Whether one value fits a condition."""

    @abstractmethod
    def from_json(self, name: str, asked: object) -> C:
        """Return the condition of a request's field; raises ParameterError, in which ``name`` stands."""

    @abstractmethod
    def from_options(self, name: str, typed: Sequence[str]) -> C:
        """Return the condition of a command line's option, given once or more; raises ParameterError."""

    def to_json(self, value: V) -> object:
        """Return a value as JSON has it."""
        return value

    def from_answer(self, told: Any) -> V:
        """Return the value that JSON holds, as :meth:`to_json` writes it."""
        value: V = told
        return value

    @abstractmethod
    def value_schema(self) -> Schema:
        """Describe a value that is known."""

    @abstractmethod
    def condition_schema(self) -> Schema:
        """Describe what :meth:`from_json` takes."""

    @abstractmethod
    def json_forms(self, example: str) -> str:
        """Return for people, in Markdown, what a request may say; ``example`` as typed for an option."""

    @abstractmethod
    def option_forms(self, example: str) -> str:
        """Return for people, in Markdown, what an option may say."""


def or_null(schema: Mapping[str, Any]) -> Schema:
    """Return the schema of a value that may be unknown."""
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}
