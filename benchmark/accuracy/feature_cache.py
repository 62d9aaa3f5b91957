"""Features on disk, by the content of the image file: extracted once for all data sets and splits."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.files import new_file

_FIELDS = ("pooled", "parts", "thumbnails", "pixels", "hashes")


_EMPTY = {"pooled": (0,), "parts": (0, 0, 0, 0), "thumbnails": (0,), "pixels": (32,), "hashes": (32,)}
"""Shapes of the arrays of one image, for an empty cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """The features and prints of N images, in order.

    Shapes as in :class:`benchmark.types.Features` and :class:`benchmark.datasets.duplicates.Prints`, but the
    images come first in all of them.
    """

    pooled: NDArray[np.float32]
    parts: NDArray[np.float16]
    thumbnails: NDArray[np.float32]
    pixels: NDArray[np.uint8]
    hashes: NDArray[np.uint8]


def joined(parts: Sequence[Described]) -> Described:
    """Return several sets of features as one."""
    return Described(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))


class FeatureCache:
    """A folder of shards, each an .npz file of a few hundred images.

    A shard appears under its name when it is complete, so an interrupted run loses one shard at most. A shard
    that cannot be read, or whose checksums do not match, is deleted, and its images are described again.

    Parameters
    ----------
    folder : Path
        Created where needed; one folder holds one version of the features of one backbone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._where: dict[str, tuple[Path, int]] = {}
        for shard in sorted(folder.glob("*.npz")):
            self._enter(shard)

    def _enter(self, shard: Path) -> None:
        try:
            with zipfile.ZipFile(shard) as archive:
                whole = archive.testzip() is None
            with np.load(shard, allow_pickle=False) as arrays:
                digests = arrays["digests"].tolist()
                complete = whole and all(name in arrays for name in _FIELDS)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            digests, complete = [], False
        if not complete:
            shard.unlink(missing_ok=True)
        for row, digest in enumerate(digests if complete else ()):
            self._where[digest] = (shard, row)

    def __contains__(self, digest: str) -> bool:
        return digest in self._where

    def add(self, digests: Sequence[str], described: Described) -> None:
        """Keep the features of images, given by the sha256 of their files as hexadecimal digits."""
        arrays = {name: getattr(described, name) for name in _FIELDS}
        shard = self._folder / f"{hashlib.sha256(' '.join(digests).encode()).hexdigest()[:32]}.npz"
        with new_file(shard) as stream:
            np.savez(stream, digests=np.array(digests), **arrays)
        self._enter(shard)

    def column(self, name: str, digests: Sequence[str]) -> NDArray[Any]:
        """Return one field of images in the order asked for; KeyError for an image never described.

        Parameters
        ----------
        name : str
            A field of :class:`Described`.
        digests : sequence of str
        """
        found: NDArray[Any] | None = None
        for shard, pairs in self._by_shard(digests).items():
            with np.load(shard, allow_pickle=False) as arrays:
                column = arrays[name]
            if found is None:
                found = np.empty((len(digests), *column.shape[1:]), column.dtype)
            places, rows = np.array(pairs).T
            found[places] = column[rows]
        return np.empty((0, *_EMPTY[name]), np.uint8) if found is None else found

    def _by_shard(self, digests: Iterable[str]) -> Mapping[Path, list[tuple[int, int]]]:
        shards: dict[Path, list[tuple[int, int]]] = {}
        for place, digest in enumerate(digests):
            shard, row = self._where[digest]
            shards.setdefault(shard, []).append((place, row))
        return shards
