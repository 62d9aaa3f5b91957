"""Slices of labelled people with the product's own codes: what is searched, and what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmark.lesions.data import LesionSlice
from benchmark.lesions.slices import shows_lesion
from benchmark.region.planes import chosen_slices, ct_frame
from benchmark.region.queries import MIN_AREA_MM2, box_round
from benchmark.region.volumes import Scan
from benchmark.series.encoded import Encoder
from benchmark.series.parts import known_structures, structures_on
from benchmark.types import Progress
from hmar.values.codes import CodeArray
from hmar.values.frames import Frame, FrameInfo, Units
from hmar.values.geometry import Box, Spacing

QUERIES_PER_STRUCTURE = 8
"""Of one person at most, evenly spread over the slices that show the structure."""

LESION = "lesion"
Flags = NDArray[np.bool_]
Mask = NDArray[np.bool_]


class Boxes(Encoder, Protocol):
    """An encoder that also tells where windows lie."""

    def window_box(self, info: FrameInfo, window_id: int) -> Box:
        """Return the box of a window in source pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One slice of an archive.

    Parameters
    ----------
    person : str
    codes : ndarray of uint8, shape (W, 16)
        Of its windows, W from 1.
    shows : mapping of str to ndarray of bool, shape (W,)
        By structure, which windows show it; only structures that some window shows.
    known : frozenset of str
        Structures of which it is known whether the slice shows them.
    """

    person: str
    codes: CodeArray
    shows: Mapping[str, Flags]
    known: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A structure's box on one slice, as a query.

    Parameters
    ----------
    person, structure : str
    codes : ndarray of uint8, shape (9, 16)
        Of its nine windows, the centred one first.
    """

    person: str
    structure: str
    codes: CodeArray


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """An archive, and what is asked of it."""

    slices: Sequence[Slice]
    asked: Sequence[Asked]


def of_scans(scans: Sequence[Scan], encoder: Boxes, progress: Progress) -> Material:
    """Return slices of CT scans, about 5 mm apart, with all structures over 1 cm2."""
    slices: list[Slice] = []
    asked: list[Asked] = []
    for done, scan in enumerate(scans, start=1):
        shown: dict[str, list[tuple[Frame, Box]]] = {}
        known = known_structures(scan)
        for frame, masks in _frames(scan):
            made = _slice(scan.person, frame, masks, known, encoder)
            slices += [made] if made is not None else []
            for name, mask in masks.items():
                shown.setdefault(name, []).append((frame, box_round(mask)))
        for name, places in sorted(shown.items()):
            spread = np.linspace(0, len(places) - 1, min(len(places), QUERIES_PER_STRUCTURE))
            for at in np.rint(spread).astype(int).tolist():
                asked.append(Asked(scan.person, name, encoder.region_query(*places[at]).window_codes))
        progress("encoding scans", done, len(scans))
    return Material(slices, asked)


def of_lesions(read: Sequence[LesionSlice], encoder: Boxes, progress: Progress) -> Material:
    """Return slices of people with lesions; every lesion's box is a query."""
    slices: list[Slice] = []
    asked: list[Asked] = []
    for done, one in enumerate(read, start=1):
        masks = {} if one.lesion is None else {LESION: one.lesion}
        made = _slice(one.person, one.frame, masks, frozenset({LESION}), encoder)
        if made is not None:
            slices.append(made)
            if one.lesion is not None:
                codes = encoder.region_query(one.frame, box_round(one.lesion)).window_codes
                asked.append(Asked(one.person, LESION, codes))
        progress("encoding slices", done, len(read))
    return Material(slices, asked)


def _frames(scan: Scan) -> Iterator[tuple[Frame, dict[str, Mask]]]:
    """Yield the slices that are searched, each with its structures over 1 cm2."""
    spacing = Spacing(*scan.spacing_mm[1:])
    for z in chosen_slices(scan):
        large = {
            name: mask
            for name, mask in structures_on(scan, z).items()
            if np.count_nonzero(mask) * spacing.row_mm * spacing.column_mm > MIN_AREA_MM2
        }
        yield ct_frame(scan.values[z].astype(np.float32), spacing, Units.HU), large


def _slice(
    person: str, frame: Frame, masks: Mapping[str, Mask], known: frozenset[str], encoder: Boxes
) -> Slice | None:
    """Encode a slice; None for one that shows too little for any window: no region finds it."""
    encoded = encoder.encode(frame)
    if not len(encoded.window_ids):
        return None
    boxes = [encoder.window_box(frame.info, number) for number in encoded.window_ids.tolist()]
    shows = {
        name: np.array([shows_lesion(mask, box) for box in boxes], np.bool_) for name, mask in masks.items()
    }
    findable = {name: windows for name, windows in shows.items() if windows.any()}
    return Slice(person, encoded.window_codes, findable, known)
