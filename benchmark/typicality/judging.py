"""Which summaries are marked: by the product's rule, at 1 % false alarms, by a reference fitted anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.model.serving.typicality import Reference
from hmar.training.export.reference import fit_reference
from hmar.values.frames import FloatArray
from hmar.values.hits import ATYPICAL

ALARMS = 0.01
"""False alarms that the second judge is set to, mean over people."""
CURVE = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""False alarms at which its curve is given."""
MARGINS = (1.0, 1.25, 1.5, 2.0)
"""Multiples of the product's own cut-off at which the curve of the third is given."""

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
    reference : Reference
    threshold : float or None
        Distances above it are marked; None for the product's rule, a typicality below ATYPICAL.
    curve : tuple of (float, float)
        Share of false alarms that is wanted, or multiple of the product's cut-off, and the threshold for it.
    """

    name: str
    what: str
    reference: Reference
    threshold: float | None = None
    curve: tuple[tuple[float, float], ...] = ()

    def marks(self, summaries: FloatArray) -> Marks:
        """Return which of some summaries (N, C) are marked, (N,)."""
        if self.threshold is None:
            typical = [self.reference.typicality(one[None, None]) for one in summaries]
            return np.array(typical, np.float64) < ATYPICAL
        return distances(self.reference, summaries) > self.threshold


def judges(reference: Reference, chosen: FloatArray, people: People) -> list[Judge]:
    """Return the three rules.

    Parameters
    ----------
    reference : Reference
        The model's own.
    chosen : ndarray of float32, shape (N, C)
        Summaries of people that choices may be made on.
    people : ndarray of int64, shape (N,)
        Whose each of them is.
    """
    found = distances(reference, chosen)
    refitted = fit_reference(chosen, people)
    curve = tuple((share, threshold_at(share, found, people)) for share in CURVE)
    return [
        Judge("model", "the model's own reference and the product's rule", reference),
        Judge(
            "one-percent",
            "the model's own reference, and the distance beyond which 1 % of the frames of the people chosen "
            "on lie",
            reference,
            threshold_at(ALARMS, found, people),
            curve,
        ),
        Judge(
            "refitted",
            "a reference fitted to the people chosen on, as they arrive here, and the product's rule",
            refitted,
            curve=tuple((margin, margin * cut_off(refitted)) for margin in MARGINS),
        ),
    ]


def cut_off(reference: Reference) -> float:
    """Return the distance beyond which the product marks."""
    count = len(reference.distances)
    typicality = 1 - np.arange(count + 1) / count  # by how many held-out distances are less
    return float(reference.distances[np.flatnonzero(typicality < ATYPICAL)[0] - 1])


def distances(reference: Reference, summaries: FloatArray) -> Distances:
    """Return how far out each of some summaries (N, C) lies, (N,)."""
    return np.array([reference.distance(one[None, None]) for one in summaries], np.float64)


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
