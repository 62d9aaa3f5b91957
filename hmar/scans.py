"""How an index is searched for frames: exactly, or fast where that was asked for or the archive is large."""

from __future__ import annotations

from hmar.ports import CodeIndex
from hmar.stages import stage
from hmar.values.codes import Bits, Query
from hmar.values.fast import EXACT, FastHits, Search
from hmar.values.hits import CodeHit, Mode
from hmar.values.selection import Selection


class Scans:
    """Searches an index for frames, and says how thorough it was.

    Parameters
    ----------
    index : CodeIndex
        What is searched.
    fast_above : int
        Windows of the index from which searches are fast where nothing was asked for; 0 for never.
    """

    def __init__(self, index: CodeIndex, fast_above: int) -> None:
        self._index = index
        self._fast_above = fast_above

    def search(
        self, query: Query, k: int, mode: Mode, bits: Bits, selection: Selection, search: Search | None
    ) -> FastHits:
        """Return what is nearest, in the way that was asked for.

        Parameters
        ----------
        query, k, mode, bits, selection
            As for the searches of :class:`hmar.ports.CodeIndex`.
        search : str or None
            "exact", or "fast", which is exact all the same where the index says that it costs no more. None
            chooses by the size of the index.
        """
        if (search or self._usual()) == "fast":
            with stage("scan"):
                found = self._index.search_fast(query, k, mode, bits, selection)
            if found is not None:
                return found
        return FastHits(self.exact(query, k, mode, bits, selection), EXACT)

    def exact(self, query: Query, k: int, mode: Mode, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k nearest, every frame compared that may be found."""
        compared = {
            "global": self._index.search_global,
            "local": self._index.search_windows,
            "auto": self._index.search_fused,
        }[mode]
        with stage("scan"):
            return compared(query, k, bits, selection)

    def _usual(self) -> Search:
        is_large = 0 < self._fast_above <= self._index.stats().windows
        return "fast" if is_large else "exact"
