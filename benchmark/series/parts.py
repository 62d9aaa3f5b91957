"""Labelled CT scans cut along the body into parts, each of which stands for a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.region.planes import chosen_slices, ct_frame
from benchmark.region.queries import MIN_AREA_MM2, box_round
from benchmark.region.volumes import WHOLES, Scan
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Box, Spacing

PART_MM = 50.0
"""Length of a part along the body, about ten slices."""

_LEAST_SLICES = 4
"""A part at the end of a scan that has fewer is left out."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some neighbouring slices of one scan.

    Parameters
    ----------
    name : str
        Of its scan.
    person : str
    frames : tuple of Frame
        From feet to head, in HU.
    boxes : mapping of str to mapping of int to Box
        Where structures of more than 1 cm2 are: by name, then by position in ``frames``. Boxes are in pixels.
    known : frozenset of str
        Structures of which the scan's mask tells whether they are there.
    """

    name: str
    person: str
    frames: tuple[Frame, ...]
    boxes: Mapping[str, Mapping[int, Box]]
    known: frozenset[str]


def parts_of(scan: Scan) -> list[Part]:
    """Cut a scan into parts; slices are taken about 5 mm apart."""
    chosen = chosen_slices(scan)
    length = max(_LEAST_SLICES, round(PART_MM / (chosen.step * scan.spacing_mm[0])))
    cuts = [chosen[start : start + length] for start in range(0, len(chosen), length)]
    return [_part(scan, slices) for slices in cuts if len(slices) >= min(_LEAST_SLICES, len(chosen))]


def _part(scan: Scan, slices: Sequence[int]) -> Part:
    boxes: dict[str, dict[int, Box]] = {}
    for position, z in enumerate(slices):
        for name, mask in structures_on(scan, z).items():
            if np.count_nonzero(mask) * scan.spacing_mm[1] * scan.spacing_mm[2] > MIN_AREA_MM2:
                boxes.setdefault(name, {})[position] = box_round(mask)
    spacing = Spacing(*scan.spacing_mm[1:])
    frames = tuple(ct_frame(scan.values[z].astype(np.float32), spacing, Units.HU) for z in slices)
    return Part(scan.name, scan.person, frames, boxes, known_structures(scan))


def known_structures(scan: Scan) -> frozenset[str]:
    """Return the structures that a mask tells of, wholes of which it draws all parts among them."""
    named = scan.shown() if scan.partly else set(scan.names.values())
    return frozenset(named | {whole for whole, parts in WHOLES.items() if named.issuperset(parts)})


def structures_on(scan: Scan, z: int) -> dict[str, Mask]:
    """Return the structures of a slice by name, wholes of which it draws parts among them."""
    ids = scan.ids[z]
    found = {scan.names[value]: ids == value for value in np.unique(ids).tolist() if value in scan.names}
    for whole, parts in WHOLES.items():
        drawn = [found[part] for part in parts if part in found]
        if drawn and whole not in found:
            found[whole] = np.logical_or.reduce(drawn)
    return found
