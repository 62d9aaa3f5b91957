"""Fast searches: they compare some windows of some slices, then all windows of the frames that look near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from hmar.values.hits import CodeHit
from hmar.values.plain import Json

Search = Literal["exact", "fast"]
FAST_FROM = 10_000_000
"""Windows from which a fast search costs less than the exact one, which takes some milliseconds there."""
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Thoroughness:
    """How much a search compared, and how much of what is nearest it expects to have found.

    Parameters
    ----------
    search : str
        "exact" where every frame was compared that may be found; then both shares are 1.
    ranked_share : float
        Share, from 0 to 1, of the frames that may be found whose own windows were all compared.
    expected_recall : float
        Expected share, from 0 to 1, of the k nearest frames, or groups, that are among the hits.
    """

    search: Search
    ranked_share: float
    expected_recall: float

    def to_dict(self) -> Json:
        """Return it as the API tells it."""
        return {
            "made": self.search,
            "ranked_share": round(self.ranked_share, _DIGITS),
            "expected_recall": round(self.expected_recall, _DIGITS),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return what an answer tells."""
        return cls(told["made"], told["ranked_share"], told["expected_recall"])


EXACT = Thoroughness("exact", 1.0, 1.0)


class FastHits(NamedTuple):
    """What a fast search found, nearest first, and how thorough it was."""

    hits: Sequence[CodeHit]
    thoroughness: Thoroughness
