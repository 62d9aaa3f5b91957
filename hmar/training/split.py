"""Which views are trained on, and which are held out for validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL, ImageLabels, Mask
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.validation.people import held_out_people
from hmar.training.validation.places import held_out

_RUN = 4
"""Neighbouring slices that a sample takes together: a pair of views shows nearby slices."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The split of N views.

    Parameters
    ----------
    labels : ImageLabels
    places, patients : ndarray of bool, shape (N,)
        Held out: all slices of some people where enough of them have their structures labelled, else slices
        in the middle of volumes; and patients of each label of images.
    """

    labels: ImageLabels
    places: Mask
    patients: Mask

    @classmethod
    def of(cls, views: ViewSet, volumes: list[Volume], config: TrainingConfig) -> Split:
        """Split views; the same views are always split alike."""
        labels = ImageLabels.of(views, volumes, config)
        patients = labels.held_out()
        places: Mask = held_out_people(volumes, config)[views.volume]
        if not places.any():
            places = held_out(views)
            places &= ~labels.wholly_in(places | patients)
        return cls(labels, places, patients)

    @property
    def learnt(self) -> Mask:
        """Which views are trained on, bool (N,)."""
        return ~(self.places | self.patients)

    def take(self, rows: NDArray[np.int64], views: ViewSet) -> Split:
        """Return the split of other views, which show the slices of rows of these.

        As of all views, those that show too little to be drawn have no label.
        """
        label = np.where(views.show_enough(), self.labels.label[rows], NO_LABEL)
        labels = ImageLabels(label, self.labels.patient[rows], self.labels.count)
        return Split(labels, self.places[rows], self.patients[rows])

    def sample(self, views: ViewSet, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return at most ``count`` of the views, ascending, at most half of them held out.

        Every label, and every volume without labels, is there about equally often, by runs of neighbouring
        slices.
        """
        chosen = self._balanced(views, ~self.learnt, count // 2, rng)
        rest = self._balanced(views, self.learnt, count - len(chosen), rng)
        return np.sort(np.concatenate([chosen, rest]))

    def _balanced(
        self, views: ViewSet, allowed: Mask, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        rows = np.flatnonzero(allowed & views.show_enough())
        label, volume = self.labels.label[rows], views.volume[rows]
        group = np.where(label == NO_LABEL, self.labels.count + volume, label)
        run = np.unique(np.stack([volume, views.plane[rows] // _RUN]), axis=1, return_inverse=True)[1].ravel()
        order = np.lexsort([rows, rng.permutation(len(rows))[run], group])  # by group, its runs shuffled
        _, first, sizes = np.unique(group[order], return_index=True, return_counts=True)
        rank = np.arange(len(rows)) - np.repeat(first, sizes)
        return rows[order[np.argsort(rank, kind="stable")][:count]]
