"""A backbone without weights, for tests that need features but not what they are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hmar.errors import UnavailableError

PLAIN_FINGERPRINT = "a" * 64
_CELLS, _MAP = 14, 4


class PlainBackbone:
    """Describes an image by its mean grey values on a lattice; counts the images that it saw.

    Parameters
    ----------
    fingerprint : str
    stops_after : int or None
        Number of images after which it stops working.
    """

    def __init__(self, fingerprint: str = PLAIN_FINGERPRINT, stops_after: int | None = None) -> None:
        self.fingerprint = fingerprint
        self.seen = 0
        self._stops_after = stops_after

    def describe(self, images: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """Return pooled (B, 196) and maps (B, 3, 4, 4) of images (B, 3, 224, 224)."""
        if self._stops_after is not None and self.seen >= self._stops_after:
            raise UnavailableError("The backbone has stopped.", "Start again.")
        self.seen += len(images)
        pooled = _means(images, _CELLS)[:, 0].reshape(len(images), -1)
        return pooled, _means(images, _MAP).astype(np.float16)


def _means(images: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    side = images.shape[2] // cells
    means: NDArray[np.float32] = images.reshape(*images.shape[:2], cells, side, cells, side).mean(axis=(3, 5))
    return means


def silent(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""
