"""A split into train, val and test that divides no group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from benchmark.types import LabelledImage, Split

SHARES: dict[Split, float] = {"train": 0.7, "test": 0.2, "val": 0.1}
"""Share of each split; if two are equally full, the earlier gets the next group."""


def group_split(images: Iterable[LabelledImage], seed: int = 0) -> tuple[LabelledImage, ...]:
    """Draw splits of about 70, 10 and 20 per cent of every class, and divide no group.

    Groups come in random order, large ones first, each to the split that has least of the group's classes, as
    in stratified group k-fold. The splits of a class with few groups are far from these shares.

    Parameters
    ----------
    images : iterable of LabelledImage
        Their own ``split`` is ignored. Their order does not matter: they are taken by path.
    seed : int
        Seeds the order of the groups.

    Returns
    -------
    tuple of LabelledImage
        By path, with the new split.
    """
    by_path = sorted(images, key=lambda image: image.path)
    groups: dict[str, Counter[str]] = {}
    for image in by_path:
        groups.setdefault(image.group, Counter())[image.label] += 1
    names = list(groups)
    order = [names[row] for row in np.random.default_rng(seed).permutation(len(names))]
    order.sort(key=lambda name: -groups[name].total())
    total = Counter(image.label for image in by_path)
    held: dict[Split, Counter[str]] = {side: Counter() for side in SHARES}
    home: dict[str, Split] = {}
    for name in order:
        home[name] = min(SHARES, key=lambda side: _fill(groups[name], held[side], total) / SHARES[side])
        held[home[name]] += groups[name]
    return tuple(replace(image, split=home[image.group]) for image in by_path)


def _fill(group: Counter[str], held: Counter[str], total: Counter[str]) -> float:
    return sum(number * held[label] / total[label] for label, number in group.items())
