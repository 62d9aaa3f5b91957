"""How far something is that is done in the background."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, Self

from hmar.values.plain import Json

TaskState = Literal["waiting", "running", "done", "failed"]
OPEN_STATES = frozenset({"waiting", "running"})
"""States of what has not ended."""


class Step(NamedTuple):
    """What is done right now, how much of it, and of how much; 0 where that is not known."""

    doing: str
    done: int
    total: int

    def to_dict(self) -> Json:
        """Return the step as the API does."""
        return self._asdict()

    @classmethod
    def from_dict(cls, told: Mapping[str, Any] | None) -> Self | None:
        """Return the step that an answer tells; None for null."""
        return None if told is None else cls(str(told["doing"]), int(told["done"]), int(told["total"]))


def time_text(seconds: float) -> str:
    """Return seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
