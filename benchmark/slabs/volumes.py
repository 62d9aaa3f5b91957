"""CT of several people with slices of at most 3 mm, as they are and resampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.region.volumes import Scan, load_all_scans
from hmar.training.data.open_ct import load_open_ct

MOST_MM = 3.0
"""Between the slices of a scan that is taken."""
_UNLABELLED = ("aorta", "head")
"""Open CT without organ masks that are of other people than those with."""


@dataclass(frozen=True, slots=True, eq=False)
class ThinScan:
    """The CT of one person.

    Parameters
    ----------
    name : str
    values : ndarray of int16, shape (Z, Y, X)
        HU, from feet to head.
    spacing_mm : tuple of float
        (z, y, x).
    ids : ndarray of int16, shape (Z, Y, X)
        Structures by the numbers of ``names``; others are none.
    names : mapping of int to str
    shown : frozenset of str
        Names of the structures that are drawn somewhere.
    """

    name: str
    values: NDArray[np.int16]
    spacing_mm: tuple[float, float, float]
    ids: NDArray[np.int16]
    names: Mapping[int, str] = field(default_factory=dict)
    shown: frozenset[str] = frozenset()


def load_thin(root: Path, folders: Sequence[Path]) -> list[ThinScan]:
    """Load the thin scans of the data of ``hmar bench region`` and ``hmar train``, one of each person."""
    labelled = {scan.person: _of_scan(scan) for scan in reversed(load_all_scans(root, folders))}
    others = [
        ThinScan(volume.name, volume.values, volume.spacing_mm, np.zeros_like(volume.values))
        for volume in load_open_ct(root)
        if volume.name in _UNLABELLED
    ]
    return [
        scan
        for scan in [*(labelled[name] for name in sorted(labelled)), *others]
        if scan.spacing_mm[0] <= MOST_MM
    ]


def _of_scan(scan: Scan) -> ThinScan:
    return ThinScan(scan.person, scan.values, scan.spacing_mm, scan.ids, scan.names, frozenset(scan.shown()))


def resampled(scan: ThinScan, step_mm: float) -> ThinScan:
    """Return a scan with slices a step apart: linear between neighbours; labels are those of the nearest.

    A slice between two is smoother than a real thin one, and more like its neighbours.
    """
    length_mm = (len(scan.values) - 1) * scan.spacing_mm[0]
    places = np.arange(0, length_mm + 1e-6, step_mm) / scan.spacing_mm[0]
    below = np.minimum(places.astype(np.int64), len(scan.values) - 2)
    share = (places - below).astype(np.float32)
    values = np.empty((len(places), *scan.values.shape[1:]), np.int16)
    for at, (low, part) in enumerate(zip(below.tolist(), share.tolist(), strict=True)):
        one, other = scan.values[low].astype(np.float32), scan.values[low + 1].astype(np.float32)
        values[at] = np.rint(one + part * (other - one))
    ids = scan.ids[np.rint(places).astype(np.int64)]
    return replace(scan, values=values, ids=ids, spacing_mm=(step_mm, *scan.spacing_mm[1:]))
