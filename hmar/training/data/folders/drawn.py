"""What somebody has drawn on a slice: the pixels of one structure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.training.data.structures import UNLABELLED
from hmar.training.data.vocabulary import Vocabulary

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The pixels of a structure on a slice, cut to the rectangle that holds them.

    Parameters
    ----------
    structure : str
        As :func:`hmar.training.data.vocabulary.structure_name` spells it.
    top, left : int
        The rectangle's first row and column.
    mask : ndarray of bool, shape (rows, columns) of the rectangle
    """

    structure: str
    top: int
    left: int
    mask: Mask

    @classmethod
    def of(cls, structure: str, mask: Mask) -> Drawn | None:
        """Cut a slice's mask (rows, columns); None where it holds no pixel."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return None
        top, left = int(rows[0]), int(columns[0])
        return cls(structure, top, left, mask[top : rows[-1] + 1, left : columns[-1] + 1].copy())

    def paint(self, plane: NDArray[np.int16], number: int) -> None:
        """Write a number into the structure's pixels of a slice; what lies beyond the slice is left out."""
        part = plane[self.top : self.top + len(self.mask), self.left : self.left + self.mask.shape[1]]
        part[self.mask[: part.shape[0], : part.shape[1]]] = number


def ellipse(structure: str, box: tuple[float, float, float, float], shape: tuple[int, int]) -> Drawn | None:
    """Return the ellipse that fits into a box, for a lesion does not fill the corners of its box.

    Parameters
    ----------
    structure : str
    box : tuple of float
        (x, y, width, height) in pixels; pixel 0 covers 0 to 1.
    shape : tuple of int
        Rows and columns of the slice.
    """
    x, y, width, height = box
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    across = (columns + 0.5 - x - width / 2) / (width / 2)
    down = (rows + 0.5 - y - height / 2) / (height / 2)
    return Drawn.of(structure, across**2 + down**2 <= 1)


def label_planes(
    drawn: list[list[Drawn]], shape: tuple[int, int], structures: Vocabulary
) -> NDArray[np.int16] | None:
    """Return the labels of slices (Z, rows, columns); None where nothing is drawn on any.

    What is not drawn is unknown. Where structures overlap, the one that is smaller in the whole series is
    seen: a tumour in a lung stays a tumour.

    Parameters
    ----------
    drawn : list of list of Drawn
        By slice.
    shape : tuple of int
        Rows and columns of every slice.
    structures : Vocabulary
    """
    if not any(drawn):
        return None
    size = _sizes(one for on_slice in drawn for one in on_slice)
    planes = np.full((len(drawn), *shape), UNLABELLED, np.int16)
    for plane, on_slice in zip(planes, drawn, strict=True):
        for one in sorted(on_slice, key=lambda one: (-size[one.structure], one.structure)):
            one.paint(plane, structures.number(one.structure))
    return planes


def _sizes(drawn: Iterable[Drawn]) -> Counter[str]:
    """Return how many pixels each structure has."""
    sizes: Counter[str] = Counter()
    for one in drawn:
        sizes[one.structure] += int(one.mask.sum())
    return sizes
