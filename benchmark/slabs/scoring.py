"""How much of what all slices find is found with slabs, and how near to where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmark.slabs.volumes import ThinScan
from hmar.values.hits import Hit

APART_MM = 5.0
"""Hits of a series that lie nearer than this are one place."""
PLACES = 10


class Compared(NamedTuple):
    """An answer compared with that of all slices.

    ``recall`` is the share of the first ten places that are among its own first ten; ``first`` whether the
    first one is; ``off_mm`` how far its slices are from those that all slices give, on average, of places
    that both have; ``box_iou`` how much the boxes overlap there.
    """

    recall: float
    first: float
    off_mm: float
    box_iou: float


def places(hits: Sequence[Hit]) -> list[Hit]:
    """Return the nearest hit of each of the first ten places."""
    kept: list[Hit] = []
    for hit in hits:
        if not any(distance_mm(hit, other) < APART_MM for other in kept):
            kept.append(hit)
            if len(kept) == PLACES:
                break
    return kept


def distance_mm(one: Hit, other: Hit) -> float:
    """Return how far apart the slices of two hits are; infinite between series."""
    first, second = one.entry.info, other.entry.info
    if first.series_uid != second.series_uid or first.along_mm is None or second.along_mm is None:
        return float("inf")
    return abs(first.along_mm - second.along_mm)


def compared(all_slices: Sequence[Hit], hits: Sequence[Hit]) -> Compared:
    """Compare an answer with that of all slices; both are hits, nearest first."""
    wanted, found = places(all_slices), places(hits)
    pairs = [(place, hit) for place in wanted if (hit := _nearest(place, found)) is not None]
    return Compared(
        recall=len(pairs) / max(1, len(wanted)),
        first=float(bool(pairs) and pairs[0][0] is wanted[0]),
        off_mm=float(np.mean([distance_mm(*pair) for pair in pairs])) if pairs else float("nan"),
        box_iou=float(np.mean([one.box.intersection_over_union(other.box) for one, other in pairs]))
        if pairs
        else float("nan"),
    )


def _nearest(place: Hit, found: Sequence[Hit]) -> Hit | None:
    near = [hit for hit in found if distance_mm(hit, place) < APART_MM]
    return min(near, key=lambda hit: distance_mm(hit, place), default=None)


def right(hits: Sequence[Hit], structure: str, scans: Mapping[str, ThinScan]) -> list[bool]:
    """Return of each place, nearest first, whether the centre of its box shows a structure.

    Parameters
    ----------
    hits : sequence of Hit
    structure : str
    scans : mapping of str to ThinScan
        By study; all of them are labelled.
    """
    shown = []
    for hit in places(hits):
        scan, z = scans[hit.entry.info.study_uid], (hit.entry.info.instance_number or 1) - 1
        rows, columns = scan.ids.shape[1:]
        x, y = hit.box.centre
        number = int(scan.ids[z, min(int(y), rows - 1), min(int(x), columns - 1)])
        shown.append(scan.names.get(number) == structure)
    return shown
