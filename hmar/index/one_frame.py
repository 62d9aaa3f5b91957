"""What one frame holds of a query, by its codes: the same as an index says of it."""

from __future__ import annotations

import numpy as np

from hmar.index.distances import local_distance
from hmar.index.weighted import (
    QueryCodes,
    all_distances,
    first_distances,
    parts_of,
    unit_of,
    whole_of,
    windows_of,
)
from hmar.values.codes import Bits, Query
from hmar.values.groups import FrameCodes
from hmar.values.hits import CodeHit, Match


def found_in(codes: FrameCodes, query: Query, bits: Bits) -> CodeHit:
    """Return a frame as an index finds it that holds these codes of it."""
    whole, windows = whole_of(query), windows_of(query)
    distance = int(first_distances(whole, codes.global_code[None], bits)[0]) / unit_of(whole)
    if not len(codes.window_codes) or not len(windows):
        return CodeHit(codes.entry_id, distance, float(bits))
    total, matches = 0, []
    for part in parts_of(query):
        distances = all_distances(part, codes.window_codes, bits)  # (W, Q / parts)
        of_part = int(distances.min(axis=0).sum())
        own = local_distance(of_part, len(part), unit_of(part))
        matches.append(Match(_nearest(codes, part, distances[:, 0]), own))
        total += of_part
    return CodeHit(
        codes.entry_id, distance, local_distance(total, len(windows), unit_of(windows)), tuple(matches)
    )


def _nearest(
    codes: FrameCodes, part: QueryCodes, distances: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> int:
    """Return the id of the window nearest to the first of a part; ties go to 128 bits, then to the first."""
    order = distances * 256 + first_distances(part, codes.window_codes, 128)
    return int(codes.window_ids[int(np.argmin(order))])
