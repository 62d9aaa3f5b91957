"""What protocols are called wherever a figure stands, and how figures are written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real

Row = Mapping[str, object]

PROTOCOLS = {
    "clean": "Groups are never split over the sides; tie-aware mAP over all ranks.",
    "unseen": "Classes that training never saw, retrieved among each other; tie-aware mAP over all ranks.",
    "region": "Organ regions across patients, the query's volume never in the gallery; tie-aware mAP over "
    "all ranks, macro over structures. Rows marked [gallery learnt from] have a model that was "
    "trained on a volume that is searched here: they are not comparable with the others.",
    "lesion-own": "The box of a lesion looks for its other slices among those of everybody, one hit a slice; "
    "its own slice and the neighbours of that are left out. Means over people.",
    "lesion-others": "The box of a lesion looks for lesions of other people, one hit a slice. Means over "
    "people.",
    "series-whole": "CT scans cut into parts of 50 mm: a part looks for parts of other people, and those "
    "that show the same structure are right. Means over people of means over structures.",
    "series-structure": "The same, asked for by the boxes of one structure on the part's slices.",
    "slabs": "Boxes and whole slices of a person look for places in other people: among all thin slices, and "
    "where one stands for a slab. Means over people.",
    "typicality": "Share that is marked as unlike the training data. Of people these are false alarms; "
    "noise, text and photographs are to be marked. The model's own rule, beside two "
    "that were set on other people.",
    "nodule": "One real nodule asked for on each of its slices, that slice excluded.",
    "speed": "Each figure is a ratio to a named peer of the same run; rounds alternate between the two.",
    "page": "The reading page in a browser on the server's machine; times are between redraws, or from a key "
    "to a redraw.",
    "growth": "Time against the size of the archive; what is projected was not measured.",
    "phantom": "Lesions planted in phantoms, whose place is known exactly. No patient is in it.",
    "acir-compat": "Random split per image, so that one patient lies on both sides; mAP@100 divided by the "
    "hits found. For comparison with the papers alone; never with the figures of another protocol.",
    "quoted": "Figures of the papers, under their protocol. Nothing of them was measured here.",
}
"""What each protocol means; those that come first are shown first."""

DEFINITIONS = {
    "Macro mAP": "Mean over classes of the mean over their queries of the expected average precision under "
    "random order within equal distances, over all ranks; queries without anything relevant are left out. "
    "Where a row names another metric, it is that one.",
    "Micro mAP": "The same, mean over queries.",
    "P@k": "Share of relevant images among the first k.",
    "95 % interval": "Percentile bootstrap; whole groups are drawn, not images.",
    "Difference to linear": "Macro mAP less that of the linear head of equal length on the same queries, "
    "with its paired interval.",
    "Peer / ours": "Median over the rounds of the peer's time divided by ours; above 1 ours is faster.",
}
"""What the columns mean."""

MARKED = {"acir-compat": "acir-compat", "quoted": "quoted", "phantom": "synthetic"}
"""Marks that rows, headings and pictures carry, so that no figure of these is taken for a clean one."""

LEARNT_FROM = "gallery learnt from"
"""Mark of a row whose model was trained on what it searches."""

NOTHING = "-"


def protocol_of(row: Row) -> str:
    """Return a row's protocol, "clean" where it names none."""
    return str(row.get("protocol") or "clean")


def mark_of(protocol: str) -> str:
    """Return the mark of a protocol that must not be mixed up with the clean one, else nothing."""
    return MARKED.get(protocol, "")


def row_mark(row: Row) -> str:
    """Return the mark of a row: its protocol's, or that its gallery was learnt from."""
    return mark_of(protocol_of(row)) or (LEARNT_FROM if row.get("gallery_learnt_from") is True else "")


def marked(text: str, protocol: str) -> str:
    """Return a heading with its protocol's mark behind it."""
    mark = mark_of(protocol)
    return f"{text} [{mark}]" if mark else text


def number(value: object) -> float | None:
    """Return a finite number as float, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    return float(value) if math.isfinite(value) else None


def numbers(value: object) -> list[float]:
    """Return the finite numbers of a sequence, an empty list for anything else."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return []
    found = [number(item) for item in value]
    return [item for item in found if item is not None]


def interval(value: object) -> tuple[float, float] | None:
    """Return (low, high) of a pair of numbers, None for anything else."""
    found = numbers(value)
    return (found[0], found[1]) if len(found) == 2 else None


def shown(value: object) -> str:
    """Write any value: three digits for fractions, a dash for nothing and for what is not finite."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or (isinstance(value, Real) and not math.isfinite(value)):
        return NOTHING
    if isinstance(value, Real) and not isinstance(value, Integral):
        return _fraction(float(value))
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {shown(item)}" for name, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(map(shown, value))
    return str(value)


def shown_bits(value: object) -> str:
    """Write a length of code; 0 stands for descriptors of floats."""
    return "float" if number(value) == 0 else shown(value)


def _fraction(value: float) -> str:
    if value and abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"


def shown_interval(value: object) -> str:
    """Write [low, high]."""
    pair = interval(value)
    return NOTHING if pair is None else f"{_fraction(pair[0])} to {_fraction(pair[1])}"


def shown_difference(value: object) -> str:
    """Write a difference with its sign: a number, [mean, low, high], or a mapping of these names."""
    if isinstance(value, Mapping):
        value = [value.get(name) for name in ("mean", "low", "high")]
    alone = number(value)
    if alone is not None:
        return f"{alone:+.3f}"
    found = numbers(value)
    return f"{found[0]:+.3f} ({found[1]:+.3f} to {found[2]:+.3f})" if len(found) == 3 else NOTHING
