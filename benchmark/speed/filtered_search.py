"""Search time with a filter and without it: the same query, on synthetic codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.speed.archive import MODEL, Archive
from benchmark.speed.filters import SELECTIONS, insert, select
from benchmark.speed.timing import Rounds, interleave, speed_row
from benchmark.types import Progress
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.values.codes import Bits, CodeArray, EncodedFrame, Query
from hmar.values.entries import LogRow
from hmar.values.frames import FrameInfo
from hmar.values.hits import CodeHit
from hmar.values.selection import Selection

PEER = "the same search without a filter"
K = 10
CHECKED = 3
_BITS: Bits = 128
_APPLIED = 1 << 12
_Search = Callable[[Query, int, Bits, Selection], list[CodeHit]]


def measure_filtered_search(
    archive: Archive, infos: Sequence[FrameInfo], rounds: Rounds, folder: Path, progress: Progress
) -> list[dict[str, object]]:
    """Time searches with each of ``SELECTIONS``, and one hit per patient, beside the search without.

    Parameters
    ----------
    archive : Archive
        What is searched; a frame's global code is that of its first window.
    infos : sequence of FrameInfo
        Metadata of its frames.
    rounds : Rounds
    folder : Path
        Of the index.
    progress : Progress
    """
    index = filled_index(archive, infos, folder)
    queries = archive.queries(rounds.total, 1)[:, 0]
    with closing(sqlite3.connect(":memory:")) as database:
        insert(database, infos)
        allowed = {
            name: np.array(select(database, selection), np.int64) for name, selection in SELECTIONS.items()
        }
    rows = []
    for kind, search in (("windows", index.search_windows), ("global", index.search_global)):
        for name, selection in SELECTIONS.items():
            equal = _equal(archive, queries, search, kind, selection, allowed[name])
            quality: dict[str, object] = {"distances equal to the nearest that fit": equal}
            own, selected = f"search_{kind}: {name}", len(allowed[name])
            row = _row(search, own, selection, selected, archive, queries, rounds, progress)
            rows.append(row | {"quality": quality})
        grouped = Selection(group_by="patient")
        quality = {"patients among the hits are different": _different(queries, search, infos)}
        own = f"search_{kind}: one hit per patient"
        row = _row(search, own, grouped, len(infos), archive, queries, rounds, progress)
        rows.append(row | {"quality": quality})
    index.close()
    return rows


def filled_index(archive: Archive, infos: Sequence[FrameInfo], folder: Path) -> EmbeddedIndex:
    """Return an index of an archive's frames with the metadata given; entries count from 1."""
    index = EmbeddedIndex(folder, MODEL)
    for first in range(0, len(infos), _APPLIED):
        rows = []
        for number, info in enumerate(infos[first : first + _APPLIED], start=first):
            codes = archive.window_codes(number)
            ids = np.arange(len(codes), dtype=np.uint32)
            encoded = EncodedFrame(info, codes[0], codes, ids, (0.5, 0.5), MODEL)
            rows.append(LogRow(number + 1, "add", number + 1, "speed", "speed", encoded))
        index.apply(rows)
    index.snapshot()  # as in a running product: mapped, not in the in-memory tail
    return index


def _query(queries: CodeArray, number: int) -> Query:
    code: CodeArray = queries[number % len(queries)]
    return Query(code, code[None], (0.5, 0.5))


def _row(
    search: _Search,
    own: str,
    selection: Selection,
    selected: int,
    archive: Archive,
    queries: CodeArray,
    rounds: Rounds,
    progress: Progress,
) -> dict[str, object]:
    calls: dict[str, Callable[[int], object]] = {
        own: lambda number: search(_query(queries, number), K, _BITS, selection),
        PEER: lambda number: search(_query(queries, number), K, _BITS, Selection()),
    }
    times = interleave(calls, rounds, own, progress)
    frames = archive.frames
    return speed_row(
        "filters",
        own,
        PEER,
        times[own],
        times[PEER],
        rounds,
        setting=f"{frames} frames, {archive.windows} windows, {_BITS} bits, one query window, k {K}; "
        f"{selected} frames selected ({selected / frames:.2%})",
        threads=1,
        frames=frames,
        selected=selected,
    )


def _equal(
    archive: Archive,
    queries: CodeArray,
    search: _Search,
    kind: str,
    selection: Selection,
    allowed: NDArray[np.int64],
) -> str:
    """Count the queries whose hits pass the filter and have the smallest distances that pass it."""
    equal = 0
    for number in range(CHECKED):
        query = _query(queries, number)
        hits = search(query, K, _BITS, selection)
        truth = frame_distances(archive, query.global_code, kind)
        expected = np.sort(truth[allowed - 1])[:K].tolist()
        found = [truth[hit.entry_id - 1] for hit in hits]
        equal += found == expected and {hit.entry_id for hit in hits} <= set(allowed.tolist())
    return f"{equal} of {CHECKED} queries"


def _different(queries: CodeArray, search: _Search, infos: Sequence[FrameInfo]) -> str:
    different = 0
    for number in range(CHECKED):
        hits = search(_query(queries, number), K, _BITS, Selection(group_by="patient"))
        patients = [infos[hit.entry_id - 1].patient_key for hit in hits]
        different += len(set(patients)) == len(patients)
    return f"{different} of {CHECKED} queries"


def frame_distances(archive: Archive, code: CodeArray, kind: str) -> NDArray[np.int64]:
    """Return the distance of each frame to a code: of its nearest window, or of its first ("global")."""
    distances = np.zeros(archive.windows, np.int64)
    for plane, byte in zip(archive.codes, code, strict=True):
        distances += np.bitwise_count(plane[: archive.windows] ^ byte)
    starts = archive.offsets[:-1]
    nearest: NDArray[np.int64] = np.minimum.reduceat(distances, starts)
    return distances[starts] if kind == "global" else nearest
