"""How the scan's time grows with the archive, and what it would be for a larger one."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.speed.archive import Kind, write_archive
from benchmark.speed.scan import measure_scan
from benchmark.speed.timing import Rounds
from benchmark.types import Progress

SMALLEST = 10_000
PROJECTED = 10_000_000


def sizes_up_to(frames: int) -> list[int]:
    """Return 10, 30, 100, 300 ... thousand frames up to a number, that number last."""
    sizes = [
        size
        for power in range(8)
        for size in (SMALLEST * 10**power, 3 * SMALLEST * 10**power)
        if size < frames
    ]
    return [*sizes, frames]


def measure_growth(
    kind: Kind, frames: int, windows: int, rounds: Rounds, progress: Progress
) -> list[dict[str, object]]:
    """Time one query window at 64 bits on one thread, on archives from ten thousand frames up to ``frames``.

    The last row is a projection to ten million, by the straight line through the two largest archives; it is
    marked as such, and was not measured.
    """
    rows = []
    for size in sizes_up_to(frames):
        with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
            archive = write_archive(Path(folder), kind, size, windows)
            [timed] = measure_scan(archive, rounds, progress, windows=(1,), lengths=(64,), threads=(1,))
        rows.append(_row(kind, size, timed["p50_ms"], timed["faiss_p50_ms"], "measured"))
    if len(rows) > 1:
        own, peer = (projected(rows, key) for key in ("p50_ms", "faiss_p50_ms"))
        rows.append(_row(kind, PROJECTED, own, peer, "projected"))
    return rows


def _row(kind: Kind, frames: int, own_ms: object, peer_ms: object, how: str) -> dict[str, object]:
    return {
        "protocol": "growth",
        "part": "scan",
        "name": f"one window, 64 bits, one thread, {kind} codes",
        "frames": frames,
        "p50_ms": own_ms,
        "faiss_p50_ms": peer_ms,
        "how": how,
    }


def projected(rows: Sequence[dict[str, object]], key: str, frames: int = PROJECTED) -> float:
    """Return the value of the straight line through the last two rows."""
    x, y = (np.array([float(str(row[name])) for row in rows[-2:]]) for name in ("frames", key))
    slope = (y[1] - y[0]) / (x[1] - x[0])
    return round(float(y[1] + slope * (frames - x[1])), 4)
