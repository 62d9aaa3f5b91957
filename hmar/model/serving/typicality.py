"""How typical a frame, or a region of one, is of frames that are known.

A frame is summarised by the mean of the backbone's feature map, and by that of the part that shows something:
a line of text on an empty ground hardly changes the first. A region is summarised by the mean of its own
cells. The distance is the Mahalanobis distance to the summaries known, and the typicality the share of those
that lie at least as far when they are held out. Held-out distances are measured person by person against all
others, as a new patient's would be, and not a neighbouring slice's. A margin moves them farther out: the
fewer people are known, the less do they say of the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hmar.image.windows import QueryWindows, WindowConfig, cover
from hmar.model.config import PARTS
from hmar.model.serving.pooling import pool_lattice
from hmar.values.codes import WindowIds
from hmar.values.frames import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Statistics of summaries.

    Parameters
    ----------
    mean : ndarray of float32, shape (S,)
        Mean of the summaries.
    whitening : ndarray of float32, shape (S, S)
        Maps a difference from the mean to a vector whose length is the Mahalanobis distance.
    distances : ndarray of float32, shape (N,)
        Distances of held-out summaries, ascending.
    margin : float
        What these are multiplied by before something is compared with them; 1 or more.
    """

    mean: FloatArray
    whitening: FloatArray
    distances: FloatArray
    margin: float = 1.0

    def typicality(self, summary: FloatArray) -> float:
        """Return the share, 0 to 1, of held-out summaries that lie, margin included, as far as one (S,)."""
        nearer = int(np.searchsorted(self.distances, self.distance(summary) / self.margin))
        return 1 - nearer / len(self.distances)

    def distance(self, summary: FloatArray) -> float:
        """Return how far out a summary (S,) lies: its Mahalanobis distance, 0 or more."""
        return float(np.linalg.norm((summary - self.mean) @ self.whitening))


def frame_summary(backbone_map: FloatArray, shown: FloatArray) -> FloatArray:
    """Summarise a frame by the mean of its map, followed by the mean of what shows something (2 * C,).

    Parameters
    ----------
    backbone_map : ndarray of float32, shape (h, w, C)
    shown : ndarray of float32, shape (h, w)
        Share of each cell that shows something; where none does, all of it counts.
    """
    mean = backbone_map.mean(axis=(0, 1))
    total = float(shown.sum())
    inner = np.einsum("ij,ijc->c", shown / total, backbone_map) if total > 0 else mean
    joined: FloatArray = np.concatenate([mean, inner]).astype(np.float32)
    return joined


def region_summary(backbone_map: FloatArray, windows: QueryWindows) -> FloatArray:
    """Summarise the window in the middle of a region's by the mean (C,) of the cells that it covers.

    Parameters
    ----------
    backbone_map : ndarray of float32, shape (h, w, C)
    windows : QueryWindows
        Parts of cells count as parts; what lies outside the map does not count.
    """
    height, width, _ = backbone_map.shape
    rows = cover(windows.rows[:1], windows.side, 1, height)[0]  # (h,), sums to 1
    columns = cover(windows.columns[:1], windows.side, 1, width)[0]
    mean: FloatArray = np.einsum("i,ijc,j->c", rows, backbone_map, columns)
    return mean


def window_summaries(backbone_map: FloatArray, ids: WindowIds, config: WindowConfig) -> FloatArray:
    """Summarise windows of the lattices by the mean of their cells (N, C), as a region is.

    Parameters
    ----------
    backbone_map : ndarray of float32, shape (h, w, C)
    ids : ndarray of uint32, shape (N,)
        In order of size, row and column.
    config : WindowConfig
    """
    parts = pool_lattice(backbone_map, ids, config)  # (N, 3 * 3 * C), all parts of equal area
    mean: FloatArray = parts.reshape(len(ids), PARTS * PARTS, backbone_map.shape[2]).mean(axis=1)
    return mean
