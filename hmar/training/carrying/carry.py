"""Labels for the people who have none, from those who have some, before a training begins."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hmar.errors import NotFoundError
from hmar.training.carrying.anatomy import CARRIED
from hmar.training.carrying.kept_maps import KeptMaps
from hmar.training.carrying.plausible import keep_plausible, plausible_hu
from hmar.training.carrying.transfer import transfer
from hmar.training.data.dicom_series import LEAST_SLICES
from hmar.training.data.image_labels import patient_numbers
from hmar.training.data.structures import UNLABELLED
from hmar.training.data.volumes import Volume

Progress = Callable[[str, int, int], None]

MOST_ATLASES = 2
"""People whose labels are carried to everybody else: those with the most structures."""

LEAST_ATLAS_MM = 100.0
"""A shorter scan is not carried from: it would fit in many places along a body."""

WORST_MISFIT = 1.3
"""A map that fits worse is not used: the scans share too little of the body, or the start was wrong."""

_SECONDS = 30
"""What finding a map takes on one idle core, about."""


@dataclass(frozen=True, slots=True)
class CarryingPlan:
    """Who would get labels, and from whom.

    Parameters
    ----------
    atlases, targets : tuple of int
        Indices of the volumes that have labels, and of those that get some.
    maps_to_find : int
        Maps that were not found before.
    """

    atlases: tuple[int, ...]
    targets: tuple[int, ...]
    maps_to_find: int

    def line(self) -> str:
        """Return the plan as a sentence."""
        minutes = math.ceil(self.maps_to_find * _SECONDS / 60)
        return (
            f"{len(self.targets)} CT volumes without labels may get those of {len(self.atlases)} others: "
            f"{self.maps_to_find} maps to find, about {minutes} minutes on one core"
        )


@dataclass(frozen=True, slots=True)
class Carrying:
    """What was carried.

    Parameters
    ----------
    volumes : list of Volume
        All of them, in their order.
    labelled, people : int
        How many volumes got labels, and of how many people.
    atlases : tuple of str
        Names of the volumes that they are from.
    refused : int
        Volumes onto which none could be laid.
    kept_share : float
        Of the voxels that a structure was carried to, those that kept it.
    """

    volumes: list[Volume]
    labelled: int
    people: int
    atlases: tuple[str, ...]
    refused: int
    kept_share: float

    def line(self) -> str:
        """Return it as a sentence, for the log and for the model's card."""
        return (
            f"Labels of structures were carried by registration to {self.labelled} CT volumes of "
            f"{self.people} people, from {' and '.join(self.atlases)}; {self.kept_share:.0%} of the carried "
            f"voxels were plausible and kept. {self.refused} volumes could not be laid on them."
        )


def plan_carrying(volumes: Sequence[Volume], structures: Sequence[str], maps: KeptMaps) -> CarryingPlan:
    """Return who would get labels.

    Parameters
    ----------
    volumes : sequence of Volume
    structures : sequence of str
        Names of structures by the numbers of the labels.
    maps : KeptMaps

    Raises
    ------
    NotFoundError
        If there is no CT volume whose labels could be carried.
    """
    scans = [v for v, volume in enumerate(volumes) if _is_scan(volume)]
    atlases = _atlases(volumes, scans, structures)
    if not atlases:
        raise NotFoundError(
            f"No CT volume of {LEAST_ATLAS_MM:g} mm or more has labels of structures that can be carried.",
            "Give --with-open-ct, or data with masks of organs such as liver or kidney_left.",
        )
    targets = [v for v in scans if volumes[v].labels is None]
    unknown = sum(not maps.has(volumes[v], volumes[atlas]) for v in targets for atlas in atlases)
    return CarryingPlan(tuple(atlases), tuple(targets), unknown)


def carry_labels(
    volumes: Sequence[Volume], structures: Sequence[str], maps: KeptMaps, progress: Progress
) -> Carrying:
    """Give CT volumes without labels those of the people who have the most.

    Where two people's labels differ at a place, none is kept. Raises as :func:`plan_carrying`.

    Parameters
    ----------
    volumes : sequence of Volume
    structures : sequence of str
        Names of structures by the numbers of the labels.
    maps : KeptMaps
    progress : callable
        Called with (what, done, total).
    """
    plan = plan_carrying(volumes, structures, maps)
    atlases = [_Atlas.of(volumes[v], structures) for v in plan.atlases]
    given, carried, kept = list(volumes), 0, 0
    got = []
    for done, v in enumerate(plan.targets, start=1):
        parts = [part for atlas in atlases if (part := atlas.carry(volumes[v], maps)) is not None]
        if parts:
            labels = agreed([part.labels for part in parts])
            carried += sum(part.carried for part in parts)
            kept += sum(part.kept for part in parts)
            if (labels >= 0).any():
                got.append(v)
                given[v] = replace(volumes[v], labels=labels, carried=True)
        progress("carrying labels", done, len(plan.targets))
    return Carrying(
        given,
        labelled=len(got),
        people=len(np.unique(patient_numbers(volumes)[got])),
        atlases=tuple(atlas.volume.name for atlas in atlases),
        refused=len(plan.targets) - len(got),
        kept_share=kept / max(carried, 1),
    )


def agreed(labels: Sequence[NDArray[np.int16]]) -> NDArray[np.int16]:
    """Return labels that several people carry to one: UNLABELLED where no one knows, or two differ."""
    found = labels[0].copy()
    differs = np.zeros(found.shape, np.bool_)
    for other in labels[1:]:
        known, new = found != UNLABELLED, other != UNLABELLED
        differs |= known & new & (found != other)
        found = np.where(known, found, other)
    found[differs] = UNLABELLED
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Labels that one person carries to another, and how many voxels of structures were carried and kept."""

    labels: NDArray[np.int16]
    carried: int
    kept: int


@dataclass(frozen=True, slots=True, eq=False)
class _Atlas:
    """A labelled person, and the HU that the structures may have in others."""

    volume: Volume
    ranges: dict[int, tuple[float, float]]

    @classmethod
    def of(cls, volume: Volume, structures: Sequence[str]) -> _Atlas:
        return cls(volume, plausible_hu(volume, structures))

    def carry(self, target: Volume, maps: KeptMaps) -> _Part | None:
        """Return the labels that are kept; None if this person cannot be laid on the other."""
        found = maps.find(target, self.volume)
        if found is None or found.misfit > WORST_MISFIT or self.volume.labels is None:
            return None
        labels = transfer(self.volume.labels, self.volume.spacing_mm, target, found.transform)
        kept = keep_plausible(labels, target, self.ranges)
        return _Part(kept, int(np.isin(labels, list(self.ranges)).sum()), int((kept >= 0).sum()))


def _is_scan(volume: Volume) -> bool:
    return volume.modality == "CT" and len(volume.values) >= LEAST_SLICES


def _atlases(volumes: Sequence[Volume], scans: Sequence[int], structures: Sequence[str]) -> list[int]:
    """Return the scans that have most structures to carry, one of each person."""
    counts = {v: _carriable(volumes[v], structures) for v in scans}
    patient = patient_numbers(volumes)
    best = {int(patient[v]): v for v in sorted(scans, key=lambda v: (counts[v], -v)) if counts[v]}
    return sorted(best.values(), key=lambda v: (-counts[v], v))[:MOST_ATLASES]


def _carriable(volume: Volume, structures: Sequence[str]) -> int:
    """Return how many structures of a volume can be carried."""
    extent_mm = len(volume.values) * volume.spacing_mm[0]
    if volume.labels is None or volume.carried or extent_mm < LEAST_ATLAS_MM:
        return 0
    numbers = np.unique(volume.labels[volume.labels >= 0]).tolist()
    return sum(structures[number] in CARRIED for number in numbers)
