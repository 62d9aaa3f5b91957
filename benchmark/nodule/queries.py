"""The nodule of LIDC-IDRI-0001: box it on one slice, and see whether its other slices come back.

Protocol: the query is the box around the nodule's contour on each of its slices in turn, the mean of the
readers who outlined it there; the query's own slice is excluded. A hit is one of the first k frames that is
another slice of the nodule. The centre error is the distance in the image plane between the centre of the
box that came back and the centre of the nodule's own box on that slice, over all hits.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmar.search import Searcher
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame
from hmar.values.geometry import Box
from hmar.values.hits import Hit, Mode
from hmar.values.selection import Selection

SAME_PLANE_MM = 0.01


@dataclass(frozen=True, slots=True)
class Nodule:
    """Where the nodule is: its box on each slice, by ImagePositionPatient[2] in mm."""

    series_uid: str
    boxes: Mapping[float, Box]

    def on(self, entry: EntryInfo) -> Box | None:
        """Return the nodule's box on an entry's slice, None where it is not."""
        position = entry.info.position
        if entry.info.series_uid != self.series_uid or position is None:
            return None
        return next((box for z, box in self.boxes.items() if abs(z - position[2]) < SAME_PLANE_MM), None)


def load_nodule(path: Path) -> Nodule:
    """Read the nodule from the contours of ``hmar sample-data``."""
    return nodule_of(json.loads(path.read_text("utf-8")))


def nodule_of(contours: Mapping[str, Any]) -> Nodule:
    """Return the nodule whose contours are as :func:`hmar.sample.archives.read_contours` returns them.

    Its box on a slice is the mean of the boxes of the readers who outlined it there.
    """
    found: dict[float, list[Box]] = {}
    for reader in contours["readers"]:
        outlined: dict[float, list[tuple[int, int]]] = {}
        for contour in reader:
            outlined.setdefault(contour["z"], []).extend(contour["points"])
        for z, points in outlined.items():
            found.setdefault(z, []).append(_around(points))
    return Nodule(contours["series_uid"], {z: _mean(boxes) for z, boxes in sorted(found.items())})


def _around(points: Sequence[tuple[int, int]]) -> Box:
    """Return the box around pixels (column, row), their whole area included."""
    columns, rows = zip(*points, strict=True)
    return Box(min(columns), min(rows), max(columns) + 1 - min(columns), max(rows) + 1 - min(rows))


def _mean(boxes: Sequence[Box]) -> Box:
    return Box(*(sum(values) / len(boxes) for values in zip(*boxes, strict=True)))


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One query: its slice, how many of the first k show the nodule, and how far off their boxes are."""

    z: float
    region: Box
    hits: int
    centre_errors_mm: tuple[float, ...]
    ms: float


def run_queries(
    searcher: Searcher,
    nodule: Nodule,
    slices: Sequence[tuple[EntryInfo, Frame]],
    k: int = 10,
    mode: Mode = "local",
) -> Iterator[QueryResult]:
    """Query with the nodule's box on each of its slices.

    Parameters
    ----------
    searcher : Searcher
        Over an archive that holds the nodule's series.
    nodule : Nodule
    slices : sequence of (EntryInfo, Frame)
        The slices that show it.
    k : int
        Hits looked at.
    mode : str
        How hits are ranked.
    """
    for entry, frame in slices:
        region = nodule.on(entry)
        if region is None or entry.info.position is None:
            raise ValueError(f"entry {entry.entry_id} does not show the nodule")
        begun = time.perf_counter()
        hits = searcher.region(frame, region, k, mode, Selection(exclude=frozenset({entry.entry_id})))
        ms = 1000 * (time.perf_counter() - begun)
        errors = tuple(error for hit in hits if (error := _centre_error_mm(hit, nodule)) is not None)
        yield QueryResult(entry.info.position[2], region, len(errors), errors, ms)


def _centre_error_mm(hit: Hit, nodule: Nodule) -> float | None:
    truth, spacing = nodule.on(hit.entry), hit.entry.info.spacing
    if truth is None or spacing is None:
        return None
    (x, y), (true_x, true_y) = hit.box.centre, truth.centre
    return math.hypot((x - true_x) * spacing.column_mm, (y - true_y) * spacing.row_mm)
