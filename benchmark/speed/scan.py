"""Region scan: the product's index against faiss.IndexBinaryFlat on the same codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from benchmark.flat_scan import FlatScan
from benchmark.speed.timing import Rounds, interleave, speed_row
from benchmark.types import Progress
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.codes import CODE_BYTES
from hmar.index.frames import FRAME_ARRAYS
from hmar.index.hamming import code_words
from hmar.index.metadata import TEXTS
from hmar.index.snapshot import Snapshot, SnapshotStore
from hmar.types import Bits, CodeArray, CodeHit, Query, Selection

OWN = "EmbeddedIndex.search_windows"
GROUPED = "faiss.IndexBinaryFlat, answers grouped by frame"
BARE = "faiss.IndexBinaryFlat.search alone, windows not grouped"
K = 10
_CENTRES = 4096
_MODEL = "speed"


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """Synthetic window codes in heaps, as real ones lie: centres, with an eighth of the bits flipped.

    Parameters
    ----------
    codes : ndarray of uint8, shape (W, 16)
    counts : ndarray of int64, shape (F,)
        Windows of each frame.
    queries : ndarray of uint8, shape (Q, 16)
        Drawn as the codes are.
    """

    codes: CodeArray
    counts: NDArray[np.int64]
    queries: CodeArray

    @property
    def frames(self) -> NDArray[np.int64]:
        """Frame of each window, from 0."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


def draw_archive(frames: int, windows: int, queries: int, seed: int = 0) -> Archive:
    """Draw an archive of frames with ``windows`` windows in the mean, from half of that to half more."""
    generator = np.random.default_rng(seed)
    counts = generator.integers(max(1, windows // 2), windows + (windows + 1) // 2, frames, endpoint=True)
    centres = generator.integers(0, 256, (_CENTRES, CODE_BYTES), np.uint8)
    return Archive(
        _scattered(generator, centres, int(counts.sum())), counts, _scattered(generator, centres, queries)
    )


def _scattered(generator: np.random.Generator, centres: CodeArray, count: int) -> CodeArray:
    codes: CodeArray = centres[generator.integers(0, len(centres), count)]
    flips = generator.integers(0, 256, codes.shape, np.uint8)
    for _ in range(2):
        flips &= generator.integers(0, 256, codes.shape, np.uint8)
    codes ^= flips
    return codes


def load_index(archive: Archive, folder: Path) -> EmbeddedIndex:
    """Put an archive into the product's index, by way of a snapshot in ``folder``; entry ids count from 1."""
    words = code_words(archive.codes)
    frames = len(archive.counts)
    arrays: dict[str, NDArray[Any]] = {
        **{name: np.zeros((frames, 2)[:axes], dtype) for name, (dtype, axes) in FRAME_ARRAYS.items()},
        "entry_ids": np.arange(1, frames + 1),
        "window_counts": archive.counts,
        "window_first": words[:, 0],
        "window_second": words[:, 1],
        "window_ids": np.zeros(len(words), np.uint32),
    }
    texts = {name: ["speed"] for name in TEXTS}
    SnapshotStore(folder, _MODEL).write(Snapshot(frames, "speed", texts, arrays))
    return EmbeddedIndex(folder, _MODEL)


def measure_scan(
    archive: Archive, rounds: Rounds, folder: Path, progress: Progress
) -> list[dict[str, object]]:
    """Time one query window a round, at 64 and at 128 bits; answers are compared for every query.

    The product's answer has rank, both experts' distances and tie rule in it. FAISS is timed twice: with the
    grouping by frame that a region search needs, and bare, as the least that it could take.

    Parameters
    ----------
    archive : Archive
    rounds : Rounds
    folder : Path
        Takes the index's snapshot.
    progress : Progress
    """
    index = load_index(archive, folder)
    return [row for bits in get_args(Bits) for row in _compare(archive, index, bits, rounds, progress)]


def _compare(
    archive: Archive, index: EmbeddedIndex, bits: Bits, rounds: Rounds, progress: Progress
) -> list[dict[str, object]]:
    flat = FlatScan(archive.codes[:, : bits // 8], archive.frames)
    queries = archive.queries

    def query(number: int) -> CodeArray:
        code: CodeArray = queries[number % len(queries)]
        return code

    calls = {
        OWN: lambda number: _search(index, query(number), bits),
        GROUPED: lambda number: flat.nearest_frames(query(number)[: bits // 8], K),
        BARE: lambda number: flat.nearest_windows(query(number)[: bits // 8], min(K, len(archive.codes))),
    }
    times = interleave(calls, rounds, f"scan at {bits} bits", progress)
    equal = [
        same_answer(_search(index, code, bits), *flat.nearest_frames(code[: bits // 8], K))
        for code in queries[: rounds.total]
    ]
    return [
        speed_row(
            "scan",
            OWN,
            peer,
            times[OWN],
            times[peer],
            rounds,
            setting=f"{len(archive.counts)} frames, {len(archive.codes)} windows, {bits} bits, "
            f"one query window, k {K} (a region query of the product has nine windows)",
            bits=bits,
            threads=1,
            frames=len(archive.counts),
            windows=len(archive.codes),
            quality={"answers equal to the grouped peer's": f"{sum(equal)} of {len(equal)}"},
        )
        for peer in (GROUPED, BARE)
    ]


def _search(index: EmbeddedIndex, code: CodeArray, bits: Bits) -> list[CodeHit]:
    return index.search_windows(Query(code, code[None], (0.0, 1.0)), K, bits, Selection())


def same_answer(hits: Sequence[CodeHit], distances: NDArray[np.int64], frames: NDArray[np.int64]) -> bool:
    """Return whether hits are the K nearest of all frames in reach, in any order within equal distances.

    Parameters
    ----------
    hits : sequence of CodeHit
        Of entries that count from 1.
    distances, frames : ndarray of int64, shape (F,)
        Every frame, from 0, that is not farther than the K-th nearest; nearest first.
    """
    known = dict(zip(frames.tolist(), distances.tolist(), strict=True))
    ranked = [hit.local_distance for hit in hits]
    own_ids = [hit.entry_id - 1 for hit in hits]
    own = [known.get(frame) for frame in own_ids]
    nearest = distances[: min(K, len(distances))].tolist()
    return len(set(own_ids)) == len(own_ids) and ranked == own == nearest
