"""Region queries with a filter, and with one hit for each patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmark.speed.archive import COMMON, COMMON_EVERY, MODEL, RARE, RARE_EVERY, Archive
from benchmark.speed.scan import CHECKED, EQUAL, NAME, K, filled, found, search
from benchmark.speed.timing import Rounds, interleave, speed_row
from benchmark.types import Progress
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.index.grouping import first_of_each
from hmar.values.codes import Bits, CodeArray
from hmar.values.selection import Selection

PEER = "the same search of all frames"
WINDOWS, THREADS = 9, 2
BITS: Bits = 128


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A selection, and which people it finds: those with numbers that ``every`` divides."""

    name: str
    selection: Selection
    every: int


NARROWINGS = (
    Narrowing("a filter that half of the people pass", COMMON, COMMON_EVERY),
    Narrowing("a filter that one person in a hundred passes", RARE, RARE_EVERY),
    Narrowing("one hit per patient", Selection(group_by="patient"), 1),
)


def measure_narrowed_scan(archive: Archive, rounds: Rounds, progress: Progress) -> list[dict[str, object]]:
    """Time region queries of nine windows at 128 bits on two threads, with each of ``NARROWINGS``."""
    index = EmbeddedIndex(archive.folder, MODEL, THREADS, checked=False)
    queries = archive.queries(min(rounds.total, len(archive.asked)), WINDOWS)
    flat = filled(archive, BITS)
    sums = [flat.frame_sums(codes) for codes in queries[:CHECKED]]
    rows = [_row(archive, index, queries, sums, narrowing, rounds, progress) for narrowing in NARROWINGS]
    index.close()
    return rows


def _row(
    archive: Archive,
    index: EmbeddedIndex,
    queries: CodeArray,
    sums: Sequence[NDArray[np.int64]],
    narrowing: Narrowing,
    rounds: Rounds,
    progress: Progress,
) -> dict[str, object]:
    def asked(selection: Selection, number: int) -> object:
        return search(index, queries[number % len(queries)], BITS, selection)

    calls: dict[str, Callable[[int], object]] = {
        narrowing.name: partial(asked, narrowing.selection),
        PEER: partial(asked, Selection()),
    }
    times = interleave(calls, rounds, f"scan with {narrowing.name}", progress)
    equal = sum(
        found(search(index, codes, BITS, narrowing.selection)) == _nearest(archive, known, narrowing)
        for codes, known in zip(queries, sums, strict=False)
    )
    return speed_row(
        "scan",
        f"{NAME}, {WINDOWS} windows, {narrowing.name}",
        PEER,
        times[narrowing.name],
        times[PEER],
        rounds,
        setting=f"{archive.frames} frames, {archive.windows} windows, {BITS} bits, k {K}, index mapped",
        threads=THREADS,
        quality={EQUAL: f"{equal} of {len(sums)}"},
        frames=archive.frames,
        windows=archive.windows,
        bits=BITS,
        query_windows=WINDOWS,
        identical=equal == len(sums),
    )


def _nearest(archive: Archive, sums: NDArray[np.int64], narrowing: Narrowing) -> list[tuple[int, float]]:
    """Return the answer by the sums of all frames; of equally near ones the older is first."""
    frames = np.flatnonzero(archive.people % narrowing.every == 0)
    frames = frames[np.argsort(sums[frames], kind="stable")]
    if narrowing.selection.group_by is not None:
        frames = frames[first_of_each(archive.people[frames].astype(np.uint64))]
    return [(frame, float(sums[frame] / WINDOWS)) for frame in frames[:K].tolist()]
