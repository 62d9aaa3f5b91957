"""What a search must answer, by plain loops over the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from benchmark.trust.oracle.rows import Codes, FrameKey, Live

K = 10
BITS: Literal[128] = 128
_BYTES = BITS // 8


class Answer(NamedTuple):
    """One hit of a search."""

    entry_id: int
    distance: float


def queries(frames: dict[FrameKey, Codes], count: int = 3) -> list[Codes]:
    """Choose the codes that are searched for: those of frames spread over the archive's keys."""
    keys = sorted(frames)
    return [frames[keys[number * len(keys) // count]] for number in range(count)] if keys else []


def expected_global(rows: Sequence[Live], query: Codes, k: int = K) -> list[Answer]:
    """Return the k nearest by the whole frame; ties go to the older entry."""
    return _nearest({row.entry_id: _distance(row.codes.global_code, query.global_code) for row in rows}, k)


def expected_local(rows: Sequence[Live], query: Codes, k: int = K) -> list[Answer]:
    """Return the k with the smallest mean over the query's windows of the distance to the nearest one."""
    wanted = _windows(query)
    found = {}
    for row in rows:
        if own := _windows(row.codes):
            nearest = [min(_distance(window, other) for other in own) for window in wanted]
            found[row.entry_id] = sum(nearest) / len(nearest)
    return _nearest(found, k)


def query_windows(query: Codes) -> Codes:
    """Return a query with a few of its windows alone: the loops above are slow."""
    return query._replace(window_codes=query.window_codes[: 3 * _BYTES], window_ids=b"")


def _nearest(distances: dict[int, float], k: int) -> list[Answer]:
    order = sorted(distances.items(), key=lambda item: (item[1], item[0]))
    return [Answer(entry_id, float(distance)) for entry_id, distance in order[:k]]


def _windows(codes: Codes) -> list[bytes]:
    data = codes.window_codes
    return [data[start : start + _BYTES] for start in range(0, len(data), _BYTES)]


def _distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()
