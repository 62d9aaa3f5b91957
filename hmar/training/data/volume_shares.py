"""How often each volume is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hmar.training.data.volumes import Volume


def volume_shares(volumes: Sequence[Volume], views: Sequence[int]) -> NDArray[np.float64]:
    """Return how often volumes are drawn: in proportion to the root of their size.

    Volumes with labels of their own are drawn at least as often as those with carried labels, for they alone
    know the structures that cannot be carried.

    Parameters
    ----------
    volumes : sequence of Volume
    views : sequence of int
        Views of each that may be drawn.

    Returns
    -------
    ndarray of float64, shape (V,)
        Sums to 1.
    """
    share = np.sqrt(np.asarray(views, np.float64))
    carried = np.array([volume.carried for volume in volumes])
    own = np.array([volume.labels is not None for volume in volumes]) & ~carried
    if 0 < share[own].sum() < share[carried].sum():
        share[own] *= share[carried].sum() / share[own].sum()
    shares: NDArray[np.float64] = share / share.sum()
    return shares
