"""What all parts of an answer share: what is not declared is not told."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from hmar.values.plain import Json


class Given(BaseModel):
    """A part of an answer. A field that the value has and the model has not is an error, not an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, serialize_by_alias=True)

    @classmethod
    def of(cls, told: Json) -> Self:
        """Return the answer of what a value's ``to_dict()`` tells."""
        return cls.model_validate(told)

    def to_json(self) -> dict[str, Any]:
        """Return the answer for JSON, in the order in which its fields are declared."""
        return self.model_dump(mode="json")


class Headers(Given):
    """Headers of an answer, by their names as serialization aliases; those that are None are absent."""

    def fields(self) -> dict[str, str]:
        """Return the headers by their names."""
        return {name: str(value) for name, value in self.model_dump(mode="json", exclude_none=True).items()}
