"""What a search asks of whatever scans windows: the processor, or a graphics card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hmar.index.hamming import Slots
from hmar.index.scan import Scanner, Sums
from hmar.index.weighted import QueryCodes
from hmar.index.windows import Windows
from hmar.values.codes import Bits


class WindowScanner(Protocol):
    """Finds the frames whose windows lie nearest to those of a query, exactly. Thread-safe.

    The arguments and the answers are those of :class:`hmar.index.scan.Scanner`, the same from every adapter.
    """

    @property
    def processor(self) -> Scanner:
        """The processor's scan, for windows of which a graphics card keeps no copy."""

    def nearest(
        self, windows: Windows, queries: QueryCodes, k: int, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, Sums]:
        """Return every frame that is not farther than the k-th nearest, and its sum."""

    def nearest_of_each(
        self,
        windows: Windows,
        queries: Sequence[QueryCodes],
        k: int,
        bits: Bits,
        slots: Slots | None = None,
    ) -> list[tuple[Slots, Sums]]:
        """Answer several queries."""

    def within(
        self, windows: Windows, queries: QueryCodes, radius: int, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, Sums]:
        """Return every frame whose sum is at most ``radius``, and its sum."""

    def sums(
        self, windows: Windows, queries: QueryCodes, bits: Bits, slots: Slots | None = None
    ) -> tuple[Slots, Sums]:
        """Return every frame that has windows, and its sum."""

    def gpu_windows(self) -> int:
        """Return how many windows a graphics card holds and scans; 0 while the processor does."""

    def close(self) -> None:
        """Give back threads and memory."""
