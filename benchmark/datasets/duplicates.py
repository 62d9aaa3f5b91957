"""How many queries have an exact or near-duplicate of themselves among the other images."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmark.metrics.distances import distances
from hmar.image.raster import render
from hmar.values.frames import Frame

_SIDE = 16
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Queries with a duplicate among other images.

    Parameters
    ----------
    exact : int
        Queries whose decoded pixels equal those of another image.
    near : int
        Queries whose perceptual hash is near that of another image, the exact ones included.
    queries : int
        Queries looked at.
    """

    exact: int
    near: int
    queries: int

    @property
    def exact_share(self) -> float:
        """Exact duplicates among the queries, 0 to 1."""
        return self.exact / max(self.queries, 1)

    @property
    def near_share(self) -> float:
        """Near-duplicates among the queries, 0 to 1."""
        return self.near / max(self.queries, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Prints:
    """Fingerprints of N images, by which duplicates are found.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (N, 32)
        Sha256 of the decoded values and their shape, so that another lossless compression, or other tags,
        make no difference.
    hashes : ndarray of uint8, shape (N, 32)
        :func:`difference_hash`.
    """

    pixels: NDArray[np.uint8]
    hashes: NDArray[np.uint8]

    @classmethod
    def of(cls, frames: Sequence[Frame]) -> Prints:
        """Return the prints of frames."""
        pixels = [np.frombuffer(_pixel_digest(frame), np.uint8) for frame in frames]
        hashes = [difference_hash(frame) for frame in frames]
        return cls(*(np.array(rows, np.uint8).reshape(len(frames), 32) for rows in (pixels, hashes)))


def duplicate_rate(queries: Prints, others: Prints, bits_apart: int = 12) -> Duplicates:
    """Count the queries that have an exact or near-duplicate among other images.

    A slice next to the query's own, of the same patient, is a free hit; this says how many there may be. It
    sees copies, rescaled and recompressed images and adjacent slices; it does not see a patient who was
    scanned twice. Pictures with little content (empty slices) count as near-duplicates as well.

    Parameters
    ----------
    queries, others : Prints
    bits_apart : int
        Cut-off: largest Hamming distance of the 256-bit difference hashes of near-duplicates.
    """
    held = {row.tobytes() for row in others.pixels}
    near = 0
    for start in range(0, len(queries.hashes), _BLOCK):
        apart = distances(queries.hashes[start : start + _BLOCK], others.hashes)
        near += int(np.count_nonzero((apart <= bits_apart).any(axis=1)))
    exact = sum(row.tobytes() in held for row in queries.pixels)
    return Duplicates(exact=exact, near=near, queries=len(queries.pixels))


def _pixel_digest(frame: Frame) -> bytes:
    shape = repr((frame.units, frame.values.shape)).encode()
    return hashlib.sha256(shape + frame.values.tobytes()).digest()


def difference_hash(frame: Frame) -> NDArray[np.uint8]:
    """Return the 256-bit difference hash of a frame (N. Krawetz, "Kind of like that", 2013).

    The frame, as 8-bit grey, is shrunk to 17 columns by 16 rows; a bit is 1 where a pixel is brighter than
    its left neighbour.

    Returns
    -------
    ndarray of uint8, shape (32,)
        Row by row, most significant bit first.
    """
    small = Image.fromarray(render(frame)).resize((_SIDE + 1, _SIDE), Image.Resampling.LANCZOS)
    grey = np.asarray(small)
    return np.packbits(grey[:, 1:] > grey[:, :-1])
