"""What drawn archives have in common with the real one: the statistics that a scan's time depends on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmark.speed.people import People, distances, neighbour_differences
from benchmark.speed.real_codes import RealCodes, RealSeries
from hmar.index.scan import Scanner
from hmar.index.windows import Segment, Windows, offsets_of
from hmar.values.window_ids import unpack_window_ids

_NEIGHBOURS = 8
"""Series of fewer slices are no volumes, and their slices no neighbours."""
_VOLUMES = 50
"""Series that are looked at window by window."""
_K = 10


def likeness_rows(codes: RealCodes, people: People, sizes: Sequence[int]) -> list[dict[str, object]]:
    """Return the statistics of the real codes, of as many drawn frames, and of drawn archives of other sizes.

    Distances are bits of 128.
    """
    frames = sum(map(len, codes.series))
    rows = [_row("real", codes.series, codes)]
    for size in (frames, *sizes):
        drawn = [
            RealSeries(
                str(number),
                person.global_codes,
                person.window_codes,
                person.window_ids,
                offsets_of(person.counts),
            )
            for number, person in enumerate(people.drawn(size))
        ]
        rows.append(_row("drawn", drawn, codes))
    return rows


def _row(name: str, series: Sequence[RealSeries], codes: RealCodes) -> dict[str, object]:
    counts = np.concatenate([np.diff(one.offsets) for one in series])
    sums = _query_distances(series, codes)
    tenth = np.sort(sums, axis=1)[:, min(_K, sums.shape[1]) - 1]
    volumes = [one for one in series if len(one) > _NEIGHBOURS][:_VOLUMES]
    ids = np.concatenate([one.window_ids for one in series])
    return {
        "protocol": "likeness",
        "part": "scan",
        "name": name,
        "frames": len(counts),
        "series": len(series),
        "windows_per_frame": round(float(counts.mean()), 1),
        "windows_p5_p95": np.percentile(counts, [5, 95]).round().tolist(),
        "smallest_share": round(float((unpack_window_ids(ids)[0] == 0).mean()), 3),
        "neighbouring_slices": _mean([_between_slices(one) for one in volumes]),
        "beside_each_other": _mean([_beside(one) for one in volumes]),
        "query_windows_apart": _mean([distances(query[:1], query[1:]).mean() for query in codes.queries]),
        "nearest_frame": round(float(sums.min(axis=1).mean()), 2),
        "tenth_frame": round(float(tenth.mean()), 2),
        "tenth_p5_p95": np.percentile(tenth, [5, 95]).round(1).tolist(),
        "any_frame": round(float(sums.mean()), 2),
        "any_frame_sd": round(float(sums.std(axis=1).mean()), 2),
    }


def _mean(values: Sequence[float]) -> float | None:
    """Return the mean, None of nothing."""
    return round(float(np.mean(values)), 2) if values else None


def _query_distances(series: Sequence[RealSeries], codes: RealCodes) -> NDArray[np.float64]:
    """Return the distance of each query to each frame, shape (Q, F)."""
    windows = Windows([Segment.of(one.window_codes, one.window_ids, np.diff(one.offsets)) for one in series])
    scanner = Scanner()
    return np.stack([scanner.sums(windows, query, 128)[1] / len(query) for query in codes.queries])


def _between_slices(series: RealSeries) -> float:
    """Return the mean distance of a window to the same one of the next slice."""
    differing = [neighbour_differences(series, frame) for frame in range(len(series) - 1)]
    return float(np.bitwise_count(np.concatenate(differing)).sum(axis=1).mean())


def _beside(series: RealSeries) -> float:
    """Return the mean distance of a window to the one a cell to its right."""
    found = []
    for frame in range(len(series)):
        codes, ids = series.window_codes[series.windows(frame)], series.window_ids[series.windows(frame)]
        _, left, right = np.intersect1d(ids + 1, ids, assume_unique=True, return_indices=True)
        found.append(codes[left] ^ codes[right])
    return float(np.bitwise_count(np.concatenate(found)).sum(axis=1).mean())
