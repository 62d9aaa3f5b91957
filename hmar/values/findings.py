"""What is found of the parts of an archive, by ``hmar doctor`` or by a verification that the API began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from hmar.values.plain import Json


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    NOTE = "note"
    """Something is missing or busy, but nothing is broken."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part, and what to do about it."""

    part: str
    state: State
    found: str
    remedy: str = ""

    def to_dict(self) -> Json:
        """Return the finding as the API does."""
        return {**asdict(self), "state": self.state.value}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the finding that an answer tells."""
        return cls(str(told["part"]), State(told["state"]), str(told["found"]), str(told["remedy"]))
