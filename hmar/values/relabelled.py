"""What became of a change of labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from hmar.values.plain import Json


@dataclass(frozen=True, slots=True)
class Relabelled:
    """What became of a change of labels.

    Parameters
    ----------
    changed, unchanged : int
        Frames with a new label, and those that had it already or are damaged.
    unknown : tuple of str
        UIDs of which nothing is indexed.
    """

    changed: int
    unchanged: int
    unknown: tuple[str, ...]

    def to_dict(self) -> Json:
        """Return the outcome as the API does."""
        return {"changed": self.changed, "unchanged": self.unchanged, "unknown": list(self.unknown)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the outcome that an answer tells."""
        return cls(int(told["changed"]), int(told["unchanged"]), tuple(told["unknown"]))

    def __add__(self, other: Relabelled) -> Relabelled:
        """Return the outcome of both changes."""
        return Relabelled(
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.unknown + other.unknown,
        )
