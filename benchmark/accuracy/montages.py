"""The examples of a run as the montages of its report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.accuracy.run import Example
from benchmark.datasets.read import read_image
from benchmark.report import Montage, Picture, Shown
from hmar.image.raster import render

PREFERRED = ("hmar", "linear")
"""Peers whose examples are shown; if neither was run, those of the last peer."""


def montages(examples: Sequence[Example]) -> list[Montage]:
    """Return the montages of the preferred peers at their longest codes, the same queries for each.

    Only files that were decoded for their features are read. Hits at equal distances are in random order.
    """
    names = list(dict.fromkeys(example.name for example in examples))
    chosen = [name for name in PREFERRED if name in names] or names[-1:]
    longest = {name: max(e.bits for e in examples if e.name == name) for name in chosen}
    return [
        _montage(example)
        for name in chosen
        for example in examples
        if example.name == name and example.bits == longest[name]
    ]


def _montage(example: Example) -> Montage:
    what = f"{example.bits} bits" if example.bits else "floats"
    found = zip(example.hits, example.labels, example.distances, example.right, strict=True)
    hits = tuple(
        Shown(_picture(path, f"{label}, {distance:.4g}"), right) for path, label, distance, right in found
    )
    query = _picture(example.query, example.label)
    return Montage(f"{example.name}, {what}: {example.label}", query, hits, example.protocol)


def _picture(path: Path, caption: str) -> Picture:
    return Picture(render(read_image(path)), caption)
