"""When one machine with SQLite is not enough, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from hmar.sizing.fit import Interval
from hmar.sizing.searching import Searching
from hmar.sizing.wanted import Wanted


def advice(
    wanted: Wanted, memory: Interval, index_h: Interval, served: Searching, fast: Searching | None
) -> Iterator[str]:
    """Yield what is not enough.

    Parameters
    ----------
    wanted : Wanted
    memory : Interval
        In GiB.
    index_h : Interval
        Hours.
    served : Searching
        Searches as they are made where nothing is said.
    fast : Searching or None
        Fast ones.
    """
    if memory.high > wanted.memory_gib:
        yield (
            f"Memory may exceed {wanted.memory_gib:g} GiB: plan several machines, each with a share of the "
            "frames (docs/scaling.md); with less memory, searches read the disk."
        )
    patience_ms = 1000 * wanted.patience_s
    if served.search_ms.high > patience_ms:
        ways = "give it more threads (--threads), select with filters, or plan several machines"
        if fast is not None and fast.search_ms.high <= patience_ms:
            ways = "fast ones do not (HMAR_FAST_ABOVE); or give it more threads (--threads)"
        yield f"A search may take longer than {wanted.patience_s:g} s: {ways}."
    if served.cores.high > wanted.cores:
        yield (
            f"Up to {served.cores.high:.0f} cores are busy with queries and {wanted.cores} are given: add "
            "cores, or web servers on machines of their own, which need PostgreSQL."
        )
    if index_h.value > 24 * 7:
        yield (
            f"Indexing takes {index_h.value / 24:.0f} days: add workers. Workers on other machines need "
            "PostgreSQL (HMAR_DATABASE_URL)."
        )
