"""Features on disk, by the content of the image file: extracted once, whatever data set or split asks."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FIELDS = ("pooled", "maps", "thumbnails")


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """The features of N images, in order; shapes as in :class:`benchmark.types.Features`."""

    pooled: NDArray[np.float32]
    maps: NDArray[np.float16]
    thumbnails: NDArray[np.float32]


def joined(parts: Sequence[Described], order: NDArray[np.int64] | slice = slice(None)) -> Described:
    """Return several sets of features as one, its images in a given order."""
    return Described(
        np.concatenate([part.pooled for part in parts])[order],
        np.concatenate([part.maps for part in parts])[order],
        np.concatenate([part.thumbnails for part in parts])[order],
    )


class FeatureCache:
    """A folder of shards, each an .npz file of some hundred images.

    A shard appears under its name when it is complete, so that an interrupted run loses one shard at most.
    One that cannot be read, or whose checksums do not hold, is deleted, and its images count as never
    described.

    Parameters
    ----------
    folder : Path
        Made if it is not there. It stands for one version of the features and one trunk.
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
        handle, scratch = tempfile.mkstemp(prefix="writing-", suffix=".part", dir=self._folder)
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, digests=np.array(digests), **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        shard = self._folder / f"{digests[0][:32]}-{len(digests)}.npz"
        Path(scratch).replace(shard)
        self._enter(shard)

    def read(self, digests: Sequence[str]) -> Described:
        """Return the features of images in the order asked for; raises KeyError for one never described."""
        places: list[int] = []
        parts: list[Described] = []
        for shard, pairs in self._by_shard(digests).items():
            rows = np.array([row for _, row in pairs])
            with np.load(shard, allow_pickle=False) as arrays:
                parts.append(Described(*(arrays[name][rows] for name in _FIELDS)))
            places += [place for place, _ in pairs]
        if not parts:
            return Described(np.empty((0, 0), "f4"), np.empty((0, 0, 0, 0), "f2"), np.empty((0, 0), "f4"))
        return joined(parts, np.argsort(places))

    def _by_shard(self, digests: Iterable[str]) -> Mapping[Path, list[tuple[int, int]]]:
        shards: dict[Path, list[tuple[int, int]]] = {}
        for place, digest in enumerate(digests):
            shard, row = self._where[digest]
            shards.setdefault(shard, []).append((place, row))
        return shards
