"""References fitted to the people that choices may be made on, as the product fits them."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.typicality.gathered import PersonLook
from hmar.model.serving.references import KindReferences
from hmar.training.typicality.places import MOST_FRAMES, spread
from hmar.training.typicality.summaries import Counted, Summaries

_LEAST = Counted(2, 2)


def refit(chosen: Sequence[PersonLook], kind: str) -> KindReferences:
    """Fit references of frames and regions, with the margin that the product gives this number of people."""
    summaries = Summaries(())
    for one in spread(chosen, lambda look: look.person, MOST_FRAMES):
        seen = one.seen
        windows = {int(side): seen.regions[seen.sides == side] for side in set(seen.sides.tolist())}
        summaries.put(kind, one.person, seen.frame, windows)
    return summaries.fit(_LEAST)[kind]
