"""The tables of docs/scaling.md: what archives need on two cores, and where one machine ends."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace

from hmar.sizing.estimate import Estimate, estimate
from hmar.sizing.figures import Figures
from hmar.sizing.fit import Interval
from hmar.sizing.wanted import Wanted

SIZES = (10_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
LARGEST = 1_000_000_000
"""Frames up to which limits are looked for."""
HEADS = ("frames", "memory, GiB", "disk, GiB", "indexing, h", "exact search, s", "fast search, s")
WEEK_H = 24 * 7


def filled(page: str, tables: str) -> str:
    """Return a page with the tables in place of those between its marks."""
    return re.sub(
        r"(<!-- sizes: begin [^\n]*-->\n).*(<!-- sizes: end -->)",
        lambda mark: f"{mark[1]}{tables}{mark[2]}",
        page,
        flags=re.DOTALL,
    )


def tables(figures: Figures, fast_above: int) -> str:
    """Return both tables, of frames with as many windows as body CT has on two cores and threads.

    Parameters
    ----------
    figures : Figures
    fast_above : int
        Windows from which searches are fast by themselves; 0 for never.
    """
    found = [estimate(Wanted(size), figures) for size in SIZES]
    sizes = _table(HEADS, map(_needs, found))
    limits = _table(("what", "up to frames"), _limits(figures, fast_above))
    return f"{sizes}\n{limits}"


def _needs(one: Estimate) -> tuple[str, ...]:
    fast = one.fast.searching.search_ms.times(0.001) if one.fast else None
    values = (one.memory_gib, one.disk_gib, one.index_h, one.search_ms.times(0.001), fast)
    return f"{one.wanted.frames:,}", *map(_cell, values)


def _limits(figures: Figures, fast_above: int) -> Sequence[tuple[str, str]]:
    def until(reached: Callable[[Estimate], bool], wanted: Wanted = Wanted(1)) -> str:  # noqa: B008 (immutable)
        frames = bisect_left(
            range(1, LARGEST), True, key=lambda size: reached(estimate(replace(wanted, frames=size), figures))
        )
        return f"{_rounded(frames):,}"

    eight = Wanted(1, threads=8)
    limits = [
        ("64 GiB of memory", until(lambda one: one.memory_gib.high > 64)),
        ("256 GiB of memory", until(lambda one: one.memory_gib.high > 256)),
        ("an exact search in 2 s, two threads", until(lambda one: one.search_ms.high > 2000)),
        ("the same, eight threads", until(lambda one: one.search_ms.high > 2000, eight)),
    ]
    if figures.fast:
        limits += [
            ("a fast search in 2 s, two threads", until(_slow_though_fast)),
            ("the same, eight threads", until(_slow_though_fast, eight)),
        ]
    limits += [("a week of indexing on two cores", until(lambda one: one.index_h.value > WEEK_H))]
    if figures.fast and fast_above:
        ends = until(lambda one: one.made == "fast", Wanted(1, fast_above=fast_above))
        limits += [("exact searches where nothing is said (`HMAR_FAST_ABOVE`)", ends)]
    return limits


def _slow_though_fast(one: Estimate) -> bool:
    return one.fast is not None and one.fast.searching.search_ms.high > 2000


def _cell(value: Interval | None) -> str:
    if value is None:
        return "-"
    return f"{'≈ ' if value.extrapolated else ''}{_short(value.value)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _rounded(frames: int) -> int:
    """Round down to two digits that count."""
    unit = int("1".ljust(len(str(frames)) - 1, "0"))
    return frames // unit * unit


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]] | map[tuple[str, ...]]) -> str:
    first, *others = (f"| {' | '.join(cells)} |\n" for cells in (heads, *rows))
    return "".join((first, f"|{'---|' * len(heads)}\n", *others))
