"""What is searched for: drawn structures, places of a body, and whole slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.region.queries import MIN_AREA_MM2, box_round
from benchmark.slabs.volumes import ThinScan
from hmar.values.geometry import Box

QUERIES = 16
"""Boxes of one person, at most."""
IMAGES = 4
"""Whole slices of one person."""
_SIDE_MM = 48.0
_AIR_HU = -300
_TRIES = 200


@dataclass(frozen=True, slots=True)
class SlabQuery:
    """A box on a slice of a scan, None for all of it; and the structure that it is drawn around, if any."""

    scan: ThinScan
    z: int
    box: Box | None
    structure: str | None = None


def queries_of(scan: ThinScan, seed: int) -> list[SlabQuery]:
    """Return the queries of a person: boxes round structures, or of places where none are drawn; slices."""
    boxes = _structures(scan) if scan.shown else _places(scan, np.random.default_rng(seed))
    spread = np.linspace(0, len(boxes) - 1, min(len(boxes), QUERIES)).round().astype(int)
    slices = np.linspace(0, len(scan.values) - 1, IMAGES + 2)[1:-1].round().astype(int)
    return [*(boxes[at] for at in spread), *(SlabQuery(scan, z, None) for z in slices.tolist())]


def _structures(scan: ThinScan) -> list[SlabQuery]:
    """Return boxes round each structure, on slices spread evenly over those that show more than 1 cm2."""
    pixel_mm2 = scan.spacing_mm[1] * scan.spacing_mm[2]
    shown = sorted(scan.shown)
    each = max(1, QUERIES // len(shown))
    numbers = {name: number for number, name in scan.names.items()}
    found = []
    for name in shown:
        areas = np.count_nonzero(scan.ids == numbers[name], axis=(1, 2)) * pixel_mm2
        large = np.flatnonzero(areas > MIN_AREA_MM2)
        chosen = large[(len(large) * (2 * np.arange(each) + 1)) // (2 * each)] if len(large) else large
        found += [
            SlabQuery(scan, z, box_round(scan.ids[z] == numbers[name]), name)
            for z in dict.fromkeys(chosen.tolist())
        ]
    return found


def _places(scan: ThinScan, drawn: np.random.Generator) -> list[SlabQuery]:
    """Return boxes of 48 mm whose centres show more than air, on slices spread evenly."""
    rows, columns = scan.values.shape[1:]
    height, width = (_SIDE_MM / spacing for spacing in scan.spacing_mm[1:])
    found = []
    for z in np.linspace(0, len(scan.values) - 1, QUERIES + 2)[1:-1].round().astype(int).tolist():
        for _ in range(_TRIES):
            x, y = drawn.uniform(0, columns - width), drawn.uniform(0, rows - height)
            if scan.values[z, int(y + height / 2), int(x + width / 2)] > _AIR_HU:
                found.append(SlabQuery(scan, z, Box(x, y, width, height)))
                break
    return found
