"""How many queries have the answer lying in the gallery as a copy of themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmark.datasets.read import read_image
from benchmark.distances import distances
from hmar.errors import DecodeError
from hmar.image.raster import render
from hmar.types import Frame

_SIDE = 16
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Queries that are found again in the gallery.

    Parameters
    ----------
    exact : int
        Queries whose decoded pixels are those of a gallery image, to the last value.
    near : int
        Queries whose difference hash lies near that of a gallery image; the exact ones are among them.
    queries : int
        Queries looked at.
    unreadable : int
        Files on either side that are broken, and were left out.
    """

    exact: int
    near: int
    queries: int
    unreadable: int = 0

    @property
    def exact_share(self) -> float:
        """Exact duplicates among the queries, 0 to 1."""
        return self.exact / max(self.queries, 1)

    @property
    def near_share(self) -> float:
        """Near duplicates among the queries, 0 to 1."""
        return self.near / max(self.queries, 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Prints:
    digests: list[bytes]
    hashes: NDArray[np.uint8]
    unreadable: int


def duplicate_rate(queries: Sequence[Path], gallery: Sequence[Path], bits_apart: int = 12) -> Duplicates:
    """Count the queries that the gallery holds too, as they are or nearly so.

    A slice next to the query's own, of the same patient, is a free hit; this says how many there may be. It
    sees copies, rescaled and recompressed images and adjacent slices; it does not see a patient who was
    scanned twice. Pictures with little in them (empty slices) are near to each other as well.

    Parameters
    ----------
    queries, gallery : sequence of Path
        Image files.
    bits_apart : int
        Largest Hamming distance of two 256-bit difference hashes that still makes a near duplicate.

    Returns
    -------
    Duplicates
        Exact by the sha256 of the decoded pixels, so that another compression without loss, or other tags,
        make no difference; near by :func:`difference_hash`.
    """
    mine, theirs = _prints(queries), _prints(gallery)
    held = set(theirs.digests)
    near = 0
    for start in range(0, len(mine.hashes), _BLOCK):
        apart = distances(mine.hashes[start : start + _BLOCK], theirs.hashes)
        near += int(np.count_nonzero((apart <= bits_apart).any(axis=1)))
    return Duplicates(
        exact=sum(digest in held for digest in mine.digests),
        near=near,
        queries=len(mine.digests),
        unreadable=mine.unreadable + theirs.unreadable,
    )


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


def _prints(paths: Sequence[Path]) -> _Prints:
    digests: list[bytes] = []
    hashes: list[NDArray[np.uint8]] = []
    for path in paths:
        try:
            frame = read_image(path)
        except DecodeError:
            continue
        shape = repr((frame.units, frame.values.shape)).encode()
        digests.append(hashlib.sha256(shape + frame.values.tobytes()).digest())
        hashes.append(difference_hash(frame))
    packed = np.array(hashes, np.uint8).reshape(len(hashes), _SIDE * _SIDE // 8)
    return _Prints(digests, packed, len(paths) - len(digests))
