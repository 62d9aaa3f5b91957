"""What a fast search may have missed, in one line."""

from __future__ import annotations

import math

from hmar.values.fast import Thoroughness


def said_of_fast(thoroughness: Thoroughness, hits: int) -> str:
    """Return how much a fast search compared, and how many of the nearest are expected among its hits."""
    compared, expected = 100 * thoroughness.ranked_share, 1000 * thoroughness.expected_recall
    # Rounded down: what may be missing is never said to be there.
    return (
        f"Fast search: {compared:.2g} % of the frames compared whole; {math.floor(expected) / 10:.1f} % of "
        f"the {hits} nearest are expected to be here. --search exact compares all."
    )
