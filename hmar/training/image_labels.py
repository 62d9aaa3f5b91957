"""What views show as whole images, and of whom: which are drawn together, and which are held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.training.group_sampler import GroupSampler, Rows
from hmar.training.views import ViewSet
from hmar.training.volumes import Volume

NO_LABEL = -1
_HELD_OUT = 0.12


@dataclass(frozen=True, slots=True, eq=False)
class ImageLabels:
    """Labels and patients of N views.

    Parameters
    ----------
    label : ndarray of int64, shape (N,)
        NO_LABEL where there is none.
    patient : ndarray of int64, shape (N,)
    """

    label: Rows
    patient: Rows

    @classmethod
    def of(cls, views: ViewSet, volumes: list[Volume]) -> ImageLabels:
        """Look up the labels of views; every volume without a patient is one of its own."""
        by_slice = [
            np.full(len(volume.values), NO_LABEL) if volume.image_labels is None else volume.image_labels
            for volume in volumes
        ]
        label = [by_slice[v][plane] for v, plane in zip(views.volume, views.plane, strict=True)]
        names = [volume.patient or f"volume {v}" for v, volume in enumerate(volumes)]
        patient = np.unique(names, return_inverse=True)[1]
        return cls(np.array(label, np.int64), patient[views.volume].astype(np.int64))

    @property
    def count(self) -> int:
        """One more than the largest label; 0 where nothing is labelled."""
        return int(self.label.max(initial=NO_LABEL)) + 1

    def held_out(self) -> NDArray[np.bool_]:
        """Return which views are held out: those of every eighth patient of each label that has nine."""
        held = np.zeros(len(self.label), np.bool_)
        for label in range(self.count):
            patients = np.unique(self.patient[self.label == label])
            spared = int(_HELD_OUT * len(patients))
            chosen = np.linspace(0, len(patients) - 1, spared + 2)[1:-1].astype(np.int64)
            held |= np.isin(self.patient, patients[chosen])
        return held


class LabelledViews:
    """Draws views by their labels: labels equally often, and of each its patients about equally often.

    Parameters
    ----------
    labels : ImageLabels
    allowed : ndarray of bool, shape (N,)
        Which views may be drawn.
    """

    def __init__(self, labels: ImageLabels, allowed: NDArray[np.bool_]) -> None:
        self._rows = np.flatnonzero(allowed & (labels.label != NO_LABEL))
        self._share = len(self._rows) / max(int(allowed.sum()), 1)
        self._sampler = GroupSampler(labels.label[self._rows], labels.patient[self._rows])

    def draw(self, count: int, rng: np.random.Generator) -> Rows:
        """Draw labelled views; there must be some."""
        return self._rows[self._sampler.draw(count, rng)[0]]

    def put_into(self, drawn: Rows, rng: np.random.Generator) -> Rows:
        """Put labelled views in place of some, as many as there are of them among all that may be drawn.

        They come two by two, so that every label that is drawn is drawn twice: images teach one another.
        """
        if not len(self._rows):
            return drawn
        pairs = int((rng.random(len(drawn) // 2) < self._share).sum())
        if not pairs:
            return drawn
        images, mates = self._sampler.draw(pairs, rng)
        return np.concatenate([self._rows[images], self._rows[mates], drawn[2 * pairs :]])
