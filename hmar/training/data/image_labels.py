"""Labels and patients of whole images: which views are drawn together, and which are held out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.training.config import TrainingConfig
from hmar.training.data.group_sampler import GroupSampler, Rows
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume

NO_LABEL = -1

_HELD_OUT = 0.12
"""Share of each label's patients that is held out, an eighth: 10 to 20 % are a convention of the field."""

_LEFT = 0.75
"""Share of its patients that every label keeps for training, however many share another label."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ImageLabels:
    """Labels and patients of N views.

    Parameters
    ----------
    label : ndarray of int64, shape (N,)
        NO_LABEL where there is none.
    patient : ndarray of int64, shape (N,)
    count : int
        Number of labels; 0 where labels are not trained on.
    """

    label: Rows
    patient: Rows
    count: int

    @classmethod
    def of(cls, views: ViewSet, volumes: list[Volume], config: TrainingConfig) -> ImageLabels:
        """Look up the labels of views; those that show too little to be drawn have none."""
        return cls._of(views.volume, views.plane, views.show_enough(), volumes, config)

    @classmethod
    def of_slices(cls, volumes: list[Volume], config: TrainingConfig) -> ImageLabels:
        """Look up the labels of all slices, in the order of volumes."""
        lengths = [len(volume.values) for volume in volumes]
        volume = np.repeat(np.arange(len(volumes)), lengths)
        plane = np.concatenate([np.arange(length) for length in lengths])
        return cls._of(volume, plane, np.ones(len(plane), np.bool_), volumes, config)

    @classmethod
    def _of(
        cls, volume: Rows, plane: Rows, counted: Mask, volumes: list[Volume], config: TrainingConfig
    ) -> ImageLabels:
        """Look up labels; a volume without a patient counts as a patient of its own.

        Labels are trained on where there are two or more.
        """
        by_slice = [
            np.full(len(volume.values), NO_LABEL) if volume.image_labels is None else volume.image_labels
            for volume in volumes
        ]
        label = np.array([by_slice[v][p] for v, p in zip(volume, plane, strict=True)], np.int64)
        label[~counted] = NO_LABEL
        patient = patient_numbers(volumes)[volume]
        found = np.unique(label[label != NO_LABEL])
        if len(found) < 2 or not config.learns_labels:
            return cls(np.full(len(label), NO_LABEL), patient, 0)
        return cls(np.where(label == NO_LABEL, NO_LABEL, np.searchsorted(found, label)), patient, len(found))

    def held_out(self) -> Mask:
        """Return which views are held out: an eighth of the patients of each label that has nine or more.

        A patient is skipped where one of their labels would keep less than three quarters of its patients.
        """
        of_label = [np.unique(self.patient[self.label == label]) for label in range(self.count)]
        left = [len(patients) for patients in of_label]
        least = [math.ceil(_LEFT * len(patients)) for patients in of_label]
        held: set[int] = set()
        for label, patients in enumerate(of_label):
            wanted = len(patients) - int(_HELD_OUT * len(patients))
            for patient in _spread(patients):
                if left[label] <= wanted:
                    break
                theirs = [other for other, them in enumerate(of_label) if patient in them]
                if patient not in held and all(left[other] > least[other] for other in theirs):
                    held.add(patient)
                    for other in theirs:
                        left[other] -= 1
        return np.isin(self.patient, sorted(held))

    def wholly_in(self, mask: Mask) -> Mask:
        """Return the views whose label has no view outside a mask."""
        outside = np.unique(self.label[~mask])
        alone: Mask = (self.label != NO_LABEL) & ~np.isin(self.label, outside)
        return alone


def patient_numbers(volumes: Sequence[Volume]) -> Rows:
    """Return the number of each volume's patient (V,); a volume without a patient is one of its own."""
    names = [volume.patient or f"volume {v}" for v, volume in enumerate(volumes)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _spread(patients: Rows) -> list[int]:
    """Return patients reordered so that any first few are spread evenly: every eighth, then the others."""
    step = round(1 / _HELD_OUT)
    return [
        int(patient) for first in np.roll(np.arange(step), step // 2) for patient in patients[first::step]
    ]


class LabelledViews:
    """Draws labelled views: labels equally often, patients in proportion to the root of their views.

    Parameters
    ----------
    labels : ImageLabels
    allowed : ndarray of bool, shape (N,)
        Which views may be drawn.
    """

    def __init__(self, labels: ImageLabels, allowed: Mask) -> None:
        self._rows = np.flatnonzero(allowed & (labels.label != NO_LABEL))
        self._share = len(self._rows) / max(int(allowed.sum()), 1)
        label, patient = labels.label[self._rows], labels.patient[self._rows]
        self._sampler = GroupSampler(label, patient) if len(self._rows) else None

    def draw(self, count: int, rng: np.random.Generator) -> Rows:
        """Draw labelled views in pairs of one label, of different patients where the label has several."""
        if self._sampler is None:
            return np.empty(0, np.int64)
        images, mates = self._sampler.draw_apart(-(-count // 2), rng)
        return self._rows[np.stack([images, mates], axis=1).ravel()[:count]]

    def put_into(self, drawn: Rows, rng: np.random.Generator) -> Rows:
        """Replace some views by labelled ones, in proportion to their share of all that may be drawn.

        They come in pairs; in an odd number of places, the last may get a single one.
        """
        if self._sampler is None:
            return drawn
        twos = int((rng.random(len(drawn) // 2) < self._share).sum())
        alone = int(len(drawn) % 2 and rng.random() < self._share)
        labelled = self.draw(2 * twos + alone, rng)
        return np.concatenate([labelled, drawn[len(labelled) :]])
