"""How typical a frame is of those that a model was trained on.

A frame is summarised by the mean of the backbone's feature map. Its distance is the Mahalanobis distance to
the training frames, and its typicality the share of held-out training frames that lie at least as far. These
are measured scan by scan against all other scans: as a new patient would be, not a neighbouring slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from hmar.errors import ModelError
from hmar.values.frames import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Statistics of training frames.

    Parameters
    ----------
    mean : ndarray of float32, shape (C,)
        Mean of their summaries.
    whitening : ndarray of float32, shape (C, C)
        Maps a difference from the mean to a vector whose length is the Mahalanobis distance.
    distances : ndarray of float32, shape (N,)
        Distances of held-out training frames, ascending.
    """

    mean: FloatArray
    whitening: FloatArray
    distances: FloatArray

    def typicality(self, backbone_map: FloatArray) -> float:
        """Return the share, 0 to 1, of held-out training frames that lie as far out as a map (h, w, C)."""
        nearer = int(np.searchsorted(self.distances, self.distance(backbone_map)))
        return 1 - nearer / len(self.distances)

    def distance(self, backbone_map: FloatArray) -> float:
        """Return how far out a map (h, w, C) lies: its Mahalanobis distance, 0 or more."""
        return float(np.linalg.norm((summary(backbone_map) - self.mean) @ self.whitening))


def summary(backbone_map: FloatArray) -> FloatArray:
    """Summarise a map (h, w, C) by its mean (C,)."""
    mean: FloatArray = backbone_map.mean(axis=(0, 1))
    return mean


def write_reference(path: Path, reference: Reference) -> None:
    """Write a reference."""
    np.savez_compressed(
        path, mean=reference.mean, whitening=reference.whitening, distances=reference.distances
    )


def read_reference(path: Path) -> Reference:
    """Read a reference; raises ModelError if the file holds none."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Reference(stored["mean"], stored["whitening"], stored["distances"])
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise ModelError(
            f"{path} cannot be read ({type(error).__name__}).", "Run: hmar export-model FOLDER."
        ) from error
