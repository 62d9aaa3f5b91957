"""What a fast search may have missed, in one line."""

from __future__ import annotations

import math

from hmar.values.fast import Thoroughness


def said_of_fast(thoroughness: Thoroughness, hits: int) -> str:
    """Return how much a fast search compared, and how many of the nearest are expected among its hits."""
    nearest = f"{hits} nearest" if hits > 1 else "nearest"
    return (
        f"Fast search: {_percent(thoroughness.ranked_share)} of the frames compared whole; "
        f"{_percent(thoroughness.expected_recall)} of the {nearest} are expected among the hits, "
        "but for what one or two slices alone show. "
        "--search exact compares all."
    )


def _percent(share: float) -> str:
    """Round down: that all are there, or were compared, is never said. Answers tell four digits."""
    return f"{min(math.floor(round(1000 * share, 1)) / 10, 99.9):.1f} %"
