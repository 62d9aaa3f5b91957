"""Which looks are marked: by the product's rule, at 1 % false alarms, by references fitted anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.typicality.looking import Look
from hmar.image.windows import nearest_side
from hmar.model.serving.references import KindReferences
from hmar.model.serving.typicality import Reference
from hmar.values.frames import FloatArray
from hmar.values.hits import ATYPICAL

FRAME, REGION, REGION_ALONE = "frame", "region", "region alone"
SCOPES = (FRAME, REGION, REGION_ALONE)
"""A region is marked by its own cells or by its frame; "region alone" looks at its own cells only."""

ALARMS = 0.01
"""False alarms that the second judge is set to, mean over people."""
CURVE = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""False alarms at which its curve is given."""
MULTIPLES = (0.8, 0.9, 1.0, 1.2, 1.5)
"""Multiples of the product's cut-off at which the curve of the third is given."""

_ROUNDING = 1e-9
"""What a sum of shares may be off."""

Marks = NDArray[np.bool_]
Distances = NDArray[np.float64]
People = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """A rule for marking.

    Parameters
    ----------
    name : str
    what : str
    known : KindReferences
    threshold : float
        A look is marked if its distance is more than this many times the cut-off of its reference; 1 is
        the product's rule, a typicality below ATYPICAL.
    curve : tuple of (float, float)
        Share of false alarms that is wanted, or the threshold itself, and the threshold.
    """

    name: str
    what: str
    known: KindReferences
    threshold: float = 1.0
    curve: tuple[tuple[float, float], ...] = ()

    def marks(self, seen: Look, scope: str) -> Marks:
        """Return which of a look's regions are marked, or whether its frame is: (R,) or (1,)."""
        return far(self.known, seen, scope) > self.threshold


def judges(
    known: KindReferences | None,
    refitted: KindReferences,
    chosen: Sequence[Look],
    people: Sequence[int],
    scope: str,
) -> list[Judge]:
    """Return the rules: two by the model's own references, where it has them, and that by refitted ones.

    Parameters
    ----------
    known, refitted : KindReferences
        The model's own, and those fitted to the people chosen on.
    chosen : sequence of Look
        Of people that choices may be made on.
    people : sequence of int
        Whose each of them is.
    scope : str
    """
    anew = Judge(
        "refitted",
        "references fitted to the people chosen on, as they arrive here, and the product's rule, margins "
        "included",
        refitted,
        curve=tuple((multiple, multiple) for multiple in MULTIPLES),
    )
    if known is None or (scope == REGION_ALONE and not known.regions):
        return [anew]
    parts = [far(known, seen, scope) for seen in chosen]
    found, owners = np.concatenate(parts), np.repeat(np.asarray(people), [len(part) for part in parts])
    curve = tuple((share, threshold_at(share, found, owners)) for share in CURVE)
    return [
        Judge("model", "the model's own references and the product's rule", known),
        Judge(
            "one-percent",
            "the model's own references, and the multiple of their cut-off beyond which 1 % of what the "
            "people chosen on have lies",
            known,
            threshold_at(ALARMS, found, owners),
            curve,
        ),
        anew,
    ]


def far(known: KindReferences, seen: Look, scope: str) -> Distances:
    """Return how far out a frame (1,) or its regions (R,) lie, in multiples of the product's cut-off."""
    of_frame = _multiples(known.frames, seen.frame[None])
    if scope == FRAME:
        return of_frame
    if not known.regions:
        return np.repeat(of_frame, len(seen.sides))
    own = np.empty(len(seen.sides), np.float64)
    nearest = np.array([nearest_side(side, list(known.regions)) for side in seen.sides.tolist()], np.int64)
    for side in np.unique(nearest).tolist():
        own[nearest == side] = _multiples(known.regions[side], seen.regions[nearest == side])
    return own if scope == REGION_ALONE else np.maximum(own, of_frame)


def cut_off(reference: Reference) -> float:
    """Return the distance beyond which the product marks."""
    count = len(reference.distances)
    typicality = 1 - np.arange(count + 1) / count  # by how many held-out distances are less
    return reference.margin * float(reference.distances[np.flatnonzero(typicality < ATYPICAL)[0] - 1])


def _multiples(reference: Reference, summaries: FloatArray) -> Distances:
    known = summaries[:, : len(reference.mean)]  # see hmar.model.serving.references
    found: Distances = np.linalg.norm((known - reference.mean) @ reference.whitening, axis=1)
    return found / cut_off(reference)


def threshold_at(share: float, found: Distances, people: People) -> float:
    """Return the least of some distances that at most a share of them exceeds, mean over people.

    Parameters
    ----------
    share : float
        0 to 1.
    found : ndarray of float64, shape (N,)
    people : ndarray of int64, shape (N,)
        Whose each is; all people count equally, however many frames they have.
    """
    order = np.argsort(found)
    ascending, count = found[order], np.bincount(people)
    passed = np.cumsum(1 / (count[people[order]] * np.count_nonzero(count)))
    not_beyond = passed[np.searchsorted(ascending, ascending, side="right") - 1]
    return float(ascending[np.flatnonzero(1 - not_beyond <= share + _ROUNDING)[0]])
