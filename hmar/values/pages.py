"""Pages of one ranking: which hits were shown, and of which state of the archive."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hmar.values.fast import Search

MARK_BYTES = 8
"""Two of a million marks are alike with a probability of 3e-8."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a ranking.

    What was shown is remembered, and not the last rank: a deletion moves every rank behind it. Entries are
    only ever taken out of a state, so that their order stays, and a page begins where the one before ended.

    Parameters
    ----------
    key : bytes
        1 to 64 bytes that key the marks, so that they do not tell what was shown.
    limit : int
        Hits on the page, from 1.
    as_of : int or None
        The last row of the log that belongs to the state; None for the state of now.
    shown : tuple of bytes
        Marks of what the pages before showed, in that order.
    search : str or None
        How the first page was searched: then so are those that follow. None for the first page, and for
        groups.
    """

    key: bytes = field(repr=False)
    limit: int
    as_of: int | None = None
    shown: tuple[bytes, ...] = ()
    search: Search | None = None

    def reach(self, k: int) -> int:
        """Return how many of the ``k`` nearest tell this page's hits, and whether more follow."""
        return min(k, len(self.shown) + self.limit + 1)

    def turn(self, k: int, identities: Sequence[str], goes_on: bool = False) -> tuple[list[int], Page | None]:
        """Return the positions of this page's hits in a ranking, and the page that follows, if any.

        Parameters
        ----------
        k : int
            Hits on all pages together.
        identities : sequence of str
            What tells the hits of the ranking apart, nearest first, as far as :meth:`reach` at least.
        goes_on : bool
            Whether the ranking may have hits behind these: then a page follows in any case.
        """
        marks = [self._mark(identity) for identity in identities]
        seen = set(self.shown)
        left = [at for at, mark in enumerate(marks) if mark not in seen][: max(0, k - len(self.shown))]
        here = left[: self.limit]
        if len(left) == len(here) and not goes_on:
            return here, None
        return here, replace(self, shown=(*self.shown, *(marks[at] for at in here)))

    def _mark(self, identity: str) -> bytes:
        text = identity.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self.key, digest_size=MARK_BYTES).digest()
