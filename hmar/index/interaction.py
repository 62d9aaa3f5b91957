"""Distances between groups of frames: a series or study with every other, exactly.

Frames of one group are laid side by side once, so that the least distance within each group is one
:func:`numpy.minimum.reduceat`. Another aggregation is another measure beside the two here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.index.gallery import Gallery
from hmar.index.grouping import Groups, within_cutoff
from hmar.index.hamming import Slots
from hmar.index.scanning import WindowScanner
from hmar.values.codes import CODE_BITS, Bits, CodeArray, hamming
from hmar.values.groups import CodeGroup, CodePair, GroupQuery
from hmar.values.selection import Selection

Distances = NDArray[np.float64]
FrameMeasure = Callable[[int, Slots, Bits], Distances]
"""Distances of some slots to one query frame; infinite for a frame that cannot be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The members of every group, side by side.

    Parameters
    ----------
    slots : ndarray of int64, shape (F,)
        Group after group, ascending within each; not empty.
    starts : ndarray of int64, shape (G,)
        Where each group begins.
    """

    slots: Slots
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, slots: Slots, groups: Groups) -> Members:
        """Lay slots, ascending, out by their groups; there is at least one."""
        order = np.argsort(groups, kind="stable")
        by_group = groups[order]
        return cls(slots[order], np.flatnonzero(np.append(True, by_group[1:] != by_group[:-1])))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of members of each group."""
        return np.diff(np.append(self.starts, len(self.slots)))

    @property
    def oldest(self) -> Slots:
        """The first slot of each group."""
        return self.slots[self.starts]

    def numbers(self) -> NDArray[np.int64]:
        """Return the number of the group of each member."""
        return np.repeat(np.arange(len(self.starts)), self.counts)

    def kept(self, chosen: NDArray[np.int64]) -> Members:
        """Return some groups alone, in the given order."""
        ends = np.append(self.starts, len(self.slots))
        parts = [self.slots[ends[group] : ends[group + 1]] for group in chosen.tolist()]
        return Members(np.concatenate(parts), np.cumsum([0, *map(len, parts[:-1])]))


def late_interaction(members: Members, query: GroupQuery, bits: Bits, measure: FrameMeasure) -> Distances:
    """Return the mean over the query's frames of the least distance within each group, shape (G,).

    It is infinite for a group of which no frame can be compared.
    """
    total = np.zeros(len(members.starts))
    for frame in query.frames:
        total += np.minimum.reduceat(measure(frame, members.slots, bits), members.starts)
    return total / len(query.frames)


def mean_distances(members: Members, query: GroupQuery, bits: Bits, codes: CodeArray) -> Distances:
    """Return the distance between the mean code of the query and that of each group, shape (G,).

    Parameters
    ----------
    members : Members
    query : GroupQuery
    bits : int
        64 or 128.
    codes : ndarray of uint8, shape (F, 16)
        Global code of each member.
    """
    means = mean_codes(codes, members.starts)
    [asked] = mean_codes(query.global_codes, np.zeros(1, np.int64))
    return hamming(means[:, : bits // 8], asked[: bits // 8]).astype(np.float64)


def mean_codes(codes: CodeArray, starts: NDArray[np.int64]) -> CodeArray:
    """Return the code of each group whose bits are 1 where more than half of its codes have a 1.

    Parameters
    ----------
    codes : ndarray of uint8, shape (F, 16)
        Group after group.
    starts : ndarray of int64, shape (G,)
        Where each group begins.

    Returns
    -------
    ndarray of uint8, shape (G, 16)
    """
    counts = np.diff(np.append(starts, len(codes)))
    ones = np.empty((len(starts), CODE_BITS), np.int64)
    for bit in range(CODE_BITS):  # one bit of all codes at a time: all bits at once take 128 bytes a code
        column = (codes[:, bit // 8] >> (7 - bit % 8)) & 1
        ones[:, bit] = np.add.reduceat(column, starts, dtype=np.int64)
    return np.packbits(2 * ones > counts[:, None], axis=1)


class GroupSearch:
    """Ranks the groups of a gallery by their distance to a group of frames.

    Parameters
    ----------
    gallery : Gallery
    scanner : WindowScanner
        Compares windows.
    query : GroupQuery
    """

    def __init__(self, gallery: Gallery, scanner: WindowScanner, query: GroupQuery) -> None:
        self._gallery = gallery
        self._scanner = scanner
        self._query = query

    def nearest(self, k: int, bits: Bits, selection: Selection) -> list[CodeGroup]:
        """Return the k nearest groups: by distance at ``bits``, at 128 bits, then by the oldest entry."""
        slots = self._gallery.slots(selection)
        if self._query.mode == "local":  # a frame without windows cannot be compared
            slots = slots[self._gallery.windows.counts(slots) > 0]
        if selection.group_by is None:
            raise ValueError("the selection does not group")
        if k < 1 or not len(slots) or (self._query.aggregation != "mean" and not self._query.frames):
            return []
        members = Members.of(slots, self._gallery.frames.groups(selection.group_by, slots))
        distances = self._distances(members, bits)
        near = np.flatnonzero(within_cutoff(distances, k, None) & np.isfinite(distances))
        if not len(near):
            return []
        members, distances = members.kept(near), distances[near]
        full = distances if bits == 128 else self._distances(members, 128)
        order = np.lexsort((members.oldest, full, distances))[:k]
        return self._found(members.kept(order), distances[order], bits)

    def _distances(self, members: Members, bits: Bits) -> Distances:
        if self._query.aggregation == "mean":
            codes = self._gallery.frames.global_codes(members.slots)
            return mean_distances(members, self._query, bits, codes)
        return late_interaction(members, self._query, bits, self._measure)

    def _measure(self, frame: int, slots: Slots, bits: Bits) -> Distances:
        query, gallery = self._query, self._gallery
        if query.mode == "global":
            return gallery.global_distances(slots, query.global_codes[frame : frame + 1], bits)
        distances = gallery.local_distances(self._scanner, slots, query.window_codes[frame], bits)
        return np.where(np.isnan(distances), np.inf, distances)

    def _found(self, members: Members, distances: Distances, bits: Bits) -> list[CodeGroup]:
        entry_ids, counts = self._gallery.frames.entry_ids, members.counts
        pairs: list[list[CodePair]] = [[] for _ in members.starts]
        for frame in self._query.frames:
            short = self._measure(frame, members.slots, bits)
            full = short if bits == 128 else self._measure(frame, members.slots, 128)
            # Groups keep their places, so that the first of each is where it was.
            nearest = np.lexsort((members.slots, full, short, members.numbers()))[members.starts]
            for group, at in enumerate(nearest.tolist()):
                entry_id = int(entry_ids[members.slots[at]])
                pairs[group].append(CodePair(frame, entry_id, float(short[at])))
        return [
            CodeGroup(int(entry_ids[slot]), int(counts[i]), float(distances[i]), tuple(pairs[i]))
            for i, slot in enumerate(members.oldest.tolist())
        ]
