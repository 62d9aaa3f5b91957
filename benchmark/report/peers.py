"""Peers in plots: their order, colours and names."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.report.figure import COLOURS, FAINT, plain
from benchmark.report.labels import LEARNT_FROM, Row, number, row_mark
from benchmark.report.tables import Group

Colours = dict[str, str]
"""Of each peer, in every plot of the page."""

OURS = "hmar"
FIRST = (OURS, "linear")
"""Peers that stand out in every plot."""
NAME = 28
"""Characters of a name that a plot has room for."""


def peer_colours(groups: Sequence[Group]) -> Colours:
    """Give peers colours: ours and linear, then the best; those behind share a faint grey."""
    best = best_values([row for group in groups for row in group.rows])
    ordered = sorted(best, key=lambda name: (name not in FIRST, name != OURS, -best[name]))
    return {name: (COLOURS[rank] if rank < len(COLOURS) else FAINT) for rank, name in enumerate(ordered)}


def best_values(rows: Sequence[Row]) -> dict[str, float]:
    """Return the largest macro mAP of each name."""
    best: dict[str, float] = {}
    for row in rows:
        name = str(row.get("name"))
        best[name] = max(best.get(name, 0.0), value_of(row))
    return best


def value_of(row: Row) -> float:
    """Return a row's macro mAP, 0 where it has none."""
    return number(row.get("macro_map")) or 0.0


def length_of(row: Row) -> float:
    """Return a row's bits, 0 for descriptors of floats."""
    return number(row.get("bits")) or 0.0


def length_name(bits: float) -> str:
    """Write a length of code."""
    return f"{bits:.0f} bits" if bits else "floats"


def starred(name: str, rows: Sequence[Row]) -> str:
    """Return a peer's name, with a star where one of its rows has a gallery that was learnt from."""
    star = " *" if any(row_mark(row) == LEARNT_FROM for row in rows) else ""
    return f"{plain(name, NAME)}{star}"


def star_note(rows: Sequence[Row]) -> str:
    """Return the sentence that explains the star, or nothing where no row has it."""
    found = any(row_mark(row) == LEARNT_FROM for row in rows)
    return f" * {LEARNT_FROM}: not comparable with the others." if found else ""
