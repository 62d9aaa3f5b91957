"""A backbone without weights, for tests that need features but not what they are worth."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from hmar.errors import UnavailableError
from hmar.training.data.volumes import THOUSANDTHS, Volume

PLAIN_FINGERPRINT = "a" * 64
_CELLS, _FINER = 14, 4


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

    def describe(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return pooled (B, 196) of images (B, 3, 224, 224)."""
        if self._stops_after is not None and self.seen >= self._stops_after:
            raise UnavailableError("The backbone has stopped.", "Start again.")
        self.seen += len(images)
        return _means(images, _CELLS)[:, 0].reshape(len(images), -1)

    def looks(self, image: Volume, count: int, seed: int) -> NDArray[np.float16]:
        """Return parts (count, 16, 3, 3): grey values on a finer lattice, with noise but in the first."""
        shown = torch.from_numpy(image.values.astype(np.float32) / THOUSANDTHS)
        means = F.adaptive_avg_pool2d(shown, 3 * _FINER).numpy()
        parts = means.reshape(3, _FINER, 3, _FINER).transpose(1, 3, 0, 2).reshape(-1, 3, 3)
        noise = np.random.default_rng(seed).normal(0, 0.05, (count, *parts.shape))
        noise[0] = 0
        return (noise + parts).astype(np.float16)


def _means(images: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    side = images.shape[2] // cells
    means: NDArray[np.float32] = images.reshape(*images.shape[:2], cells, side, cells, side).mean(axis=(3, 5))
    return means


def silent(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""
