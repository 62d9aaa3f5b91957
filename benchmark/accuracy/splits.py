"""Other splits of a data set than its own: for comparison with papers, and for unseen classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.datasets.deduced_groups import deduce_groups
from benchmark.datasets.group_split import group_split
from benchmark.types import Dataset, Split
from hmar.errors import ParameterError

__all__ = ["compat_split", "deduce_groups", "group_split", "hold_out_classes"]

COMPAT_SHARES: dict[Split, float] = {"train": 0.7, "val": 0.2, "test": 0.1}


def compat_split(dataset: Dataset, seed: int) -> Dataset:
    """Split a data set image by image, as ACIR does; for the protocol "acir-compat" only.

    70 per cent train, 20 per cent gallery (as "val"), 10 per cent queries (as "test"). Slices of one patient
    are in several splits, so figures on it say little about new patients.

    Parameters
    ----------
    dataset : Dataset
        Its own split is ignored.
    seed : int
        Seeds the draw; the order of the images does not matter.

    Notes
    -----
    arXiv 2503.09370 and its data loader: shares of all images, classes not balanced.
    """
    paths = sorted(image.path for image in dataset.images)
    order = np.random.default_rng(seed).permutation(len(paths))
    train = round(COMPAT_SHARES["train"] * len(paths))
    gallery = train + round(COMPAT_SHARES["val"] * len(paths))
    side_of: dict[Path, Split] = {}
    for rank, row in enumerate(order):
        side_of[paths[row]] = "train" if rank < train else "val" if rank < gallery else "test"
    images = tuple(replace(image, split=side_of[image.path]) for image in dataset.images)
    return replace(dataset, images=images)


def hold_out_classes(dataset: Dataset, held: Sequence[str]) -> tuple[Dataset, Dataset]:
    """Divide a data set into classes to train on, and unseen classes to retrieve among.

    Parameters
    ----------
    dataset : Dataset
    held : sequence of str
        Two or more of its classes, so that there is something to confuse; two or more must be left.

    Returns
    -------
    seen, unseen : Dataset
        Each with its own classes; the split stays. Train on train and choose on val of ``seen``; the gallery
        is train, the queries are test of ``unseen``.

    Raises
    ------
    ParameterError
        If a name is no class, or either part has fewer than two classes.
    """
    unknown = sorted(set(held) - set(dataset.classes))
    if unknown:
        raise ParameterError(
            f"{dataset.name} has no class {unknown[0]!r}.", f"Its classes are {', '.join(dataset.classes)}."
        )
    chosen = set(held)
    if len(chosen) < 2 or len(dataset.classes) - len(chosen) < 2:
        raise ParameterError(
            f"{len(chosen)} of {len(dataset.classes)} classes are held out.",
            "Hold out two or more, and leave two or more to train on.",
        )
    return _part(dataset, set(dataset.classes) - chosen), _part(dataset, chosen)


def _part(dataset: Dataset, classes: set[str]) -> Dataset:
    images = tuple(image for image in dataset.images if image.label in classes)
    return replace(dataset, images=images, classes=tuple(sorted(classes)))
