"""Groups where a data set names none: chains of near-duplicates stand in for patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.duplicates import difference_hash
from benchmark.datasets.read import read_image
from benchmark.types import LabelledImage, Progress, silent
from hmar.errors import DecodeError


def deduce_groups(
    images: Sequence[LabelledImage], bits_apart: int = 12, progress: Progress = silent
) -> tuple[LabelledImage, ...]:
    """Put images that are linked by a chain of near-duplicates into one group.

    Reads every image, and compares all with all: the time grows with the square of their number. The split
    stays as it is and may divide the new groups: draw it again by :func:`group_split`.

    Parameters
    ----------
    images : sequence of LabelledImage
        Their own groups are ignored.
    bits_apart : int
        Images whose hashes differ in at most this many of 256 bits are linked, see
        :func:`benchmark.datasets.duplicates.difference_hash`.
    progress : Progress

    Returns
    -------
    tuple of LabelledImage
        The same images in the same order with new groups, numbered in the order of their first images. An
        image that cannot be read is a group of its own.
    """
    hashes: list[NDArray[np.uint8]] = []
    readable: list[int] = []
    for row, image in enumerate(images):
        progress("near-duplicates", row + 1, len(images))
        try:
            hashes.append(difference_hash(read_image(image.path)))
        except DecodeError:
            continue
        readable.append(row)
    chain = np.arange(len(images))
    if readable:
        rows = np.array(readable)
        chain[rows] = rows[_chains(np.stack(hashes).view(np.uint64), bits_apart)]
    return tuple(
        replace(image, group=f"chain {number}") for image, number in zip(images, chain.tolist(), strict=True)
    )


def _chains(hashes: NDArray[np.uint64], bits_apart: int) -> NDArray[np.int64]:
    """Return the first member of each row's chain; hashes of shape (N, 4)."""
    first = np.arange(len(hashes))
    left = first.copy()
    while len(left):
        start, left = left[0], left[1:]
        frontier = [start]
        while frontier:
            apart = np.bitwise_count(hashes[left] ^ hashes[frontier.pop()]).sum(axis=1, dtype=np.int64)
            linked = left[apart <= bits_apart]
            first[linked] = start
            frontier.extend(linked)
            left = left[apart > bits_apart]
    return first
