"""Synthetic archives of window codes, generated in blocks and stored as the product stores them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hmar.index.frames import FRAME_ARRAYS
from hmar.index.metadata import TEXTS
from hmar.index.planes import Planes, padded, to_codes
from hmar.index.snapshot import Snapshot, SnapshotStore
from hmar.index.stored import ArrayParts
from hmar.index.windows import offsets_of
from hmar.values.codes import CODE_BYTES, CodeArray

Kind = Literal["random", "clustered"]
MODEL = "speed"
SCENES = 2000
_BLOCK_FRAMES = 256


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """Frames with windows, in a snapshot that an index can be opened on; entry ids count from 1.

    Parameters
    ----------
    folder : Path
        Root of the snapshot.
    kind : str
        "random": independent random bits, so that no two frames are similar and the nearest is far.
        "clustered": frames belong to ``SCENES`` scenes, each window a copy of its scene's with an eighth of
        the bits flipped, so that hundreds of frames are nearly as near as the nearest.
    codes : ndarray of uint8, shape (16, padded(W))
        Planes of the window codes, mapped from the snapshot.
    offsets : ndarray of int64, shape (F + 1,)
    scenes : ndarray of uint8, shape (SCENES, windows, 16), or None
    """

    folder: Path
    kind: Kind
    codes: Planes
    offsets: NDArray[np.int64]
    scenes: CodeArray | None

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.offsets) - 1

    @property
    def windows(self) -> int:
        """Number of windows."""
        return int(self.offsets[-1])

    def queries(self, count: int, windows: int, seed: int = 1) -> CodeArray:
        """Draw queries of some windows each, shape (count, windows, 16), as the archive's codes are drawn."""
        generator = np.random.default_rng(seed)
        if self.scenes is None:
            return _drawn(generator, (count, windows, CODE_BYTES))
        scene = generator.integers(0, len(self.scenes), count)
        first = generator.integers(0, max(1, self.scenes.shape[1] // 2 - windows), count)
        places = (first[:, None] + np.arange(windows)) % self.scenes.shape[1]
        copies: CodeArray = self.scenes[scene[:, None], places]
        return copies ^ _eighth(generator, copies.shape)

    def window_codes(self, frame: int) -> CodeArray:
        """Return the codes of a frame's windows, shape (windows, 16)."""
        return to_codes(self.codes, slice(*self.offsets[frame : frame + 2].tolist()))


def write_archive(folder: Path, kind: Kind, frames: int, windows: int, seed: int = 0) -> Archive:
    """Generate an archive of frames with ``windows`` windows on average, from 0.7 to 1.3 times as many."""
    generator = np.random.default_rng(seed)
    least, most = max(1, round(0.7 * windows)), max(1, round(1.3 * windows))
    offsets = offsets_of(generator.integers(least, most, frames, endpoint=True))
    total = int(offsets[-1])
    scenes = _drawn(generator, (SCENES, most, CODE_BYTES)) if kind == "clustered" else None
    planes = np.empty((CODE_BYTES, padded(total)), np.uint8)
    planes[:, total:] = 0
    for first in range(0, frames, _BLOCK_FRAMES):
        bounds = offsets[first : first + _BLOCK_FRAMES + 1]
        codes = _codes(generator, bounds, scenes)
        planes[:, bounds[0] : bounds[-1]] = codes.T
    arrays: dict[str, NDArray[Any] | ArrayParts] = {
        **{name: np.zeros((frames, 2)[:axes], dtype) for name, (dtype, axes) in FRAME_ARRAYS.items()},
        "entry_ids": np.arange(1, frames + 1),
        "window_counts": np.diff(offsets),
        "window_codes": planes,
        "id_run_counts": np.ones(frames, np.uint32),
        "id_runs": np.stack([np.zeros(frames, np.uint32), np.diff(offsets)], axis=1),
    }
    store = SnapshotStore(folder, MODEL)
    store.write(Snapshot(frames, "speed", {name: ["speed"] for name in TEXTS}, arrays))
    generation = store.load(checked=False)
    assert generation is not None  # noqa: S101 (it was written a line ago)
    return Archive(folder, kind, generation.arrays["window_codes"], offsets, scenes)


def _codes(generator: np.random.Generator, bounds: NDArray[np.int64], scenes: CodeArray | None) -> CodeArray:
    """Generate the codes of consecutive frames, whose windows lie between bounds."""
    counts = np.diff(bounds)
    total = int(counts.sum())
    if scenes is None:
        return _drawn(generator, (total, CODE_BYTES))
    scene = np.repeat(generator.integers(0, len(scenes), len(counts)), counts)
    place = np.arange(total) - np.repeat(bounds[:-1] - bounds[0], counts)
    codes: CodeArray = scenes[scene, place]
    codes ^= _eighth(generator, codes.shape)
    return codes


def _drawn(generator: np.random.Generator, shape: tuple[int, ...]) -> CodeArray:
    words = generator.integers(0, 2**64, int(np.prod(shape)) // 8, np.uint64)
    return words.view(np.uint8).reshape(shape)


def _eighth(generator: np.random.Generator, shape: tuple[int, ...]) -> CodeArray:
    """Draw bits of which an eighth are ones."""
    return _drawn(generator, shape) & _drawn(generator, shape) & _drawn(generator, shape)
