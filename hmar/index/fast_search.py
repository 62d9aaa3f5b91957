"""One fast search: what it may find, how that is estimated and measured, and what it tells of itself."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hmar.index.distances import fused_distance
from hmar.index.fast import FIRST_OF_K, measured
from hmar.index.gallery import Gallery
from hmar.index.hamming import Slots
from hmar.index.scanning import WindowScanner
from hmar.index.weighted import whole_of, windows_of
from hmar.values.codes import Bits, Query
from hmar.values.fast import EXACT, Thoroughness
from hmar.values.hits import Mode
from hmar.values.selection import Selection

_MOST_AT_FIRST = 4
"""An exact search costs no more where the first batch is a quarter of the frames."""


class Candidates(NamedTuple):
    """Frames among which most of the k nearest are: slots, ascending."""

    slots: Slots
    thoroughness: Thoroughness


class FastSearch:
    """A fast search for windows, or for windows and whole images.

    Parameters
    ----------
    gallery : Gallery
    scanner : WindowScanner
    query : Query
    mode : str
        "local" or "auto".
    bits : int
        64 or 128.
    """

    def __init__(
        self, gallery: Gallery, scanner: WindowScanner, query: Query, mode: Mode, bits: Bits
    ) -> None:
        self._gallery = gallery
        self._scanner = scanner
        self._query = query
        self._mode = mode
        self._bits = bits

    def distances(self, slots: Slots, bits: Bits) -> NDArray[np.float64]:
        """Return the exact distances of some slots; NaN where there are no windows to compare."""
        if self._mode == "auto":
            return self._gallery.fused_distances(self._scanner, slots, self._query, bits)
        return self._gallery.local_distances(self._scanner, slots, windows_of(self._query), bits)

    def candidates(self, k: int, selection: Selection, fast_from: int) -> Candidates | None:
        """Return frames among which most of the k nearest are; None where an exact search costs no more.

        Parameters
        ----------
        k : int
            From 1.
        selection : Selection
        fast_from : int
            Least number of windows that may be found and that the skim spares: those that came since the
            snapshot are all measured.
        """
        slots = self._gallery.slots(selection)
        counts = self._gallery.windows.counts(slots)
        if self._mode == "local":
            slots, counts = slots[counts > 0], counts[counts > 0]
        few = len(slots) < _MOST_AT_FIRST * FIRST_OF_K * k
        spared = int(counts[slots < len(self._gallery.skim)].sum())
        if few or not len(self._query.window_codes) or not counts.any() or spared < fast_from:
            return None
        group_by = selection.group_by
        groups = None if group_by is None else partial(self._gallery.frames.groups, group_by)
        found = measured(slots, self._estimates(slots), partial(self.distances, bits=self._bits), k, groups)
        near = np.sort(found.slots[found.distances <= found.cutoff])
        if found.share == 1:
            return Candidates(near, EXACT)
        return Candidates(near, Thoroughness("fast", found.share, found.expected_recall))

    def _estimates(self, slots: Slots) -> NDArray[np.float64]:
        """Return the estimated distances of ascending slots."""
        local = self._gallery.estimated_distances(self._scanner, slots, windows_of(self._query), self._bits)
        if self._mode == "local":
            return local
        whole = self._gallery.global_distances(slots, whole_of(self._query), self._bits)
        return np.where(np.isnan(local), whole, fused_distance(self._query.gate, whole, local))
