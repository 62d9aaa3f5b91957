"""A hit grown over the neighbouring slices of its series, from codes: no pixel is read."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from hmar.index.one_frame import found_in
from hmar.ports import Catalogue, CodeHolder, FrameEncoder
from hmar.values.codes import Query
from hmar.values.entries import EntryInfo
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Box
from hmar.values.groups import FrameCodes
from hmar.values.hits import Hit
from hmar.values.places import Extent3d, Place
from hmar.values.selection import Selection

LEAST_OVERLAP = 0.4
"""Least intersection over union of the box of a neighbour and that of the hit."""

SLACK = 0.1
"""How much farther than the hit a neighbour may be, as a share of the bits compared."""

WIDEST_GAP = 1
"""Slices between two of a place that need not belong to it."""

_READ_SLICES = 16
"""Slices whose codes are read at a time."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a frame holds of a query: how near, and the box of each region."""

    entry: EntryInfo
    distance: float
    boxes: tuple[Box, ...]


class PlaceGrower:
    """Finds the slices around hits that show the same place.

    Parameters
    ----------
    catalogue : Catalogue
        Tells the slices of a series.
    held : CodeHolder
        Has their codes, with all windows.
    encoder : FrameEncoder
        Knows where windows lie.
    query : Query
        Of regions.
    selection : Selection
        What may belong to a place.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        held: CodeHolder,
        encoder: FrameEncoder,
        query: Query,
        selection: Selection,
    ) -> None:
        self._catalogue = catalogue
        self._held = held
        self._encoder = encoder
        self._query = query
        self._selection = selection

    def place(self, hit: Hit) -> Place:
        """Return the place that a hit is the nearest frame of.

        From the hit's slice outwards, a slice belongs to it if a frame there is at most ``SLACK`` farther
        than the hit by local distance, and the boxes of all regions overlap those of the hit by
        ``LEAST_OVERLAP``. It ends in either direction before ``WIDEST_GAP`` + 1 slices that do not. Slices
        are told apart by position; a frame without one, or of another size or spacing than the hit's, belongs
        to no place but its own.
        """
        own = _Seen(hit.entry, hit.local_distance, tuple(region.box for region in hit.regions) or (hit.box,))
        slices = self._slices(hit.entry)
        at = _slice_of(hit.entry, slices)
        if at is None or not hit.regions:
            return _place([own], None)
        codes = _Codes(self._held, self._selection, slices)
        members = {at: own}
        for step in (-1, 1):
            last, here = at, at + step
            while 0 <= here < len(slices) and abs(here - last) <= WIDEST_GAP + 1:
                if found := self._nearest(codes.of(here), own, hit):
                    members[here], last = found, here
                here += step
        return _place([members[here] for here in sorted(members)], _step_mm(slices))

    def _slices(self, own: EntryInfo) -> list[list[EntryInfo]]:
        """Return the frames of a series that lie as one does, by their positions, in display order."""
        frames = self._catalogue.frames(own.collection, own.info.series_uid, self._encoder.fingerprint)
        as_of = math.inf if self._selection.as_of is None else self._selection.as_of
        placed = [
            frame
            for frame in frames
            if frame.info.position is not None and frame.entry_id <= as_of and _is_alike(frame, own)
        ]
        return [list(slice_) for _, slice_ in groupby(placed, key=lambda frame: frame.info.position)]

    def _nearest(self, held: Sequence[tuple[EntryInfo, FrameCodes]], own: _Seen, hit: Hit) -> _Seen | None:
        """Return the nearest frame of a slice that belongs to the place of a hit; ties go to the older."""
        farthest = own.distance + SLACK * hit.bits
        seen = [self._seen(entry, codes, hit) for entry, codes in held if len(codes.window_codes)]
        near = [each for each in seen if each.distance <= farthest and _overlap(each.boxes, own.boxes)]
        return min(near, key=lambda each: (each.distance, each.entry.entry_id), default=None)

    def _seen(self, entry: EntryInfo, codes: FrameCodes, hit: Hit) -> _Seen:
        found = found_in(codes, self._query, hit.bits)
        boxes = [self._encoder.window_box(entry.info, match.window_id) for match in found.matches]
        return _Seen(entry, found.local_distance, tuple(boxes))


class _Codes:
    """The codes of slices, read some slices at a time; those of frames that may not be found are left out."""

    def __init__(
        self, holder: CodeHolder, selection: Selection, slices: Sequence[Sequence[EntryInfo]]
    ) -> None:
        self._holder = holder
        self._selection = selection
        self._slices = slices
        self._read: set[int] = set()
        self._held: dict[int, FrameCodes] = {}

    def of(self, here: int) -> list[tuple[EntryInfo, FrameCodes]]:
        part = here // _READ_SLICES
        if part not in self._read:
            self._read.add(part)
            among = self._slices[part * _READ_SLICES : (part + 1) * _READ_SLICES]
            ids = [entry.entry_id for frames in among for entry in frames]
            self._held |= {codes.entry_id: codes for codes in self._holder.codes(ids, self._selection)}
        return [
            (entry, self._held[entry.entry_id])
            for entry in self._slices[here]
            if entry.entry_id in self._held
        ]


def _slice_of(own: EntryInfo, slices: Sequence[Sequence[EntryInfo]]) -> int | None:
    """Return which slice a frame lies in; None for one without a position, or deleted since."""
    found = (at for at, frames in enumerate(slices) if own.entry_id in {frame.entry_id for frame in frames})
    return next(found, None)


def _is_alike(frame: EntryInfo, own: EntryInfo) -> bool:
    def shape(info: FrameInfo) -> tuple[object, ...]:
        return info.rows, info.columns, info.spacing

    return shape(frame.info) == shape(own.info)


def _overlap(boxes: Sequence[Box], others: Sequence[Box]) -> bool:
    return all(
        box.intersection_over_union(other) >= LEAST_OVERLAP for box, other in zip(boxes, others, strict=True)
    )


def _step_mm(slices: Sequence[Sequence[EntryInfo]]) -> float | None:
    """Return the median distance between neighbouring slices."""
    positions = [frames[0].info.position for frames in slices]
    steps = [math.dist(one, other) for one, other in pairwise(positions) if one and other]
    return statistics.median(steps) if steps else None


def _place(members: Sequence[_Seen], step_mm: float | None) -> Place:
    first, last = members[0].entry, members[-1].entry
    box = members[0].boxes[0]
    for member in members[1:]:
        box = box.covering(member.boxes[0])
    ends, spacing = (first.info.position, last.info.position), first.info.spacing
    depth_mm = None
    if step_mm is not None and ends[0] is not None and ends[1] is not None:
        depth_mm = math.dist(ends[0], ends[1]) + step_mm
    in_mm = None if spacing is None else box.extent_mm(spacing)
    extent = Extent3d(in_mm and in_mm.width, in_mm and in_mm.height, depth_mm)
    return Place(first, last, tuple(member.distance for member in members), box, extent)
