"""What region searches take: how long one lasts, what all of them keep busy, and what fast ones find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hmar.errors import ParameterError
from hmar.sizing.figures import FastScan, Scan
from hmar.sizing.fit import Interval, Line

QUERY_WINDOWS, BITS = 9, 128
"""A region query as users ask it."""
BUSY = 0.7
"""Share of a core that may be busy before answers wait for each other."""
HITS = 10
"""Hits that are asked for."""
MORE_HITS = 100
_UNMEASURED = 1.01
"""A number of threads that was not measured counts as beyond what was."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of an archive.

    Parameters
    ----------
    windows : int
        Of all frames.
    threads : int
        Of one search.
    queries_per_s : float
    query_ms : Interval
        Of a core, for a query apart from the scan: its picture is read and encoded.
    """

    windows: int
    threads: int
    queries_per_s: float
    query_ms: Interval


@dataclass(frozen=True, slots=True)
class Searching:
    """What region searches take.

    Parameters
    ----------
    search_ms : Interval
        Median of one that waits for no other.
    cores : Interval
        For all queries.
    """

    search_ms: Interval
    cores: Interval


@dataclass(frozen=True, slots=True)
class FastSearching:
    """What fast region searches take and find.

    Parameters
    ----------
    searching : Searching
    recall_at_10, recall_at_100 : Interval
        Share, from 0 to 1, of the nearest frames that are among the hits: of the largest archive that was
        measured, and the least and most of all.
    """

    searching: Searching
    recall_at_10: Interval
    recall_at_100: Interval

    def intervals(self) -> dict[str, Interval]:
        """Return every figure by its name."""
        return {
            "search_ms": self.searching.search_ms,
            "recall_at_10": self.recall_at_10,
            "recall_at_100": self.recall_at_100,
            "cores": self.searching.cores,
        }


def searching(scans: Sequence[Scan], load: Load) -> Searching:
    """Return what searches take that were measured as ``scans``.

    Raises
    ------
    ParameterError
        If none of them is a region query as users ask it.
    """
    scan_ms = _scan_ms(scans, load)
    busy_ms = scan_ms.times(load.threads).plus(load.query_ms)
    return Searching(scan_ms.plus(load.query_ms), busy_ms.times(load.queries_per_s / 1000 / BUSY))


def fast_searching(scans: Sequence[FastScan], load: Load) -> FastSearching | None:
    """Return what fast searches take; None where they are exact for so few windows, or were not measured."""
    timed = [one.scan for one in scans if one.hits == HITS]
    if not timed or load.windows < min(scan.p50_ms.windows for scan in timed):
        return None
    recalls = (_recall(scans, hits, load.windows) for hits in (HITS, MORE_HITS))
    return FastSearching(searching(timed, load), *recalls)


def _recall(scans: Sequence[FastScan], hits: int, windows: int) -> Interval:
    asked = sorted((one for one in scans if one.hits == hits), key=lambda one: one.scan.p50_ms.windows)
    if not asked:
        raise ParameterError(
            f"No fast search for {hits} hits was measured.", "Write the figures anew with 'hmar bench size'."
        )
    found = [one.recall for one in asked]
    return Interval(found[-1], min(found), max(found), windows / asked[-1].scan.p50_ms.windows)


def _scan_ms(scans: Sequence[Scan], load: Load) -> Interval:
    asked = [scan for scan in scans if (scan.bits, scan.query_windows) == (BITS, QUERY_WINDOWS)]
    if not asked:
        raise ParameterError("No search was measured.", "Write the figures anew with 'hmar bench size'.")
    known = [scan for scan in asked if scan.threads == load.threads]
    if known:
        return _grown(known, load.windows)
    # More threads than were measured share the work of those that were: that is an assumption.
    most = max(scan.threads for scan in asked)
    guessed = _grown([scan for scan in asked if scan.threads == most], load.windows).times(
        most / load.threads
    )
    return Interval(guessed.value, guessed.low, guessed.high * 1.5, max(guessed.beyond, _UNMEASURED))


def _grown(scans: Sequence[Scan], windows: int) -> Interval:
    # A search has a time of its own, whatever the archive: every archive counts as one frame.
    line = Line.through([scan.p50_ms._replace(frames=1) for scan in scans])
    return line.at(1, windows)
