"""Sampling balanced by label and by group, so that long series are not overfitted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


class GroupSampler:
    """Draws images: a class uniformly, one of its groups, and one of the group's images.

    Groups are drawn in proportion to the square root of their size, so that a long series counts more than a
    single slice, but not in proportion to its slices.

    Parameters
    ----------
    labels, groups : ndarray of int64, shape (N,)
        N > 0.
    """

    def __init__(self, labels: Rows, groups: Rows) -> None:
        self._groups = groups
        self._images = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        self._share = [_shares(groups[images]) for images in self._images]

    def draw(self, size: int, rng: np.random.Generator) -> Rows:
        """Return rows of images."""
        return self._of(rng.integers(len(self._images), size=size), rng)

    def draw_apart(self, size: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Return rows of images, and for each another of its class, of another group where there is one."""
        classes = rng.integers(len(self._images), size=size)
        images, mates = self._of(classes, rng), self._of(classes, rng)
        for place in np.flatnonzero(self._groups[images] == self._groups[mates]):
            of_class, share = self._images[classes[place]], self._share[classes[place]]
            apart = self._groups[of_class] != self._groups[images[place]]
            if apart.any():
                mates[place] = rng.choice(of_class[apart], p=share[apart] / share[apart].sum())
        return images, mates

    def _of(self, classes: Rows, rng: np.random.Generator) -> Rows:
        drawn = np.empty(len(classes), np.int64)
        for c in np.unique(classes):
            places = classes == c
            drawn[places] = rng.choice(self._images[c], int(places.sum()), p=self._share[c])
        return drawn


def _shares(groups: Rows) -> NDArray[np.float64]:
    """Return each image's probability; they sum to 1."""
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    share = 1 / np.sqrt(sizes[group])
    shares: NDArray[np.float64] = share / share.sum()
    return shares
