"""Target codes of classes, far apart from each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_DRAWS = 16
"""Draws of which the best is kept where codes are cut out of a larger matrix."""


def class_codes(classes: int, bits: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw one code for each class, far from all others.

    Codes are random rows and columns of a Hadamard matrix, with a random sign for each column. Where ``bits``
    is a power of two and not less than ``classes``, every two codes differ in exactly half the bits.
    Otherwise the matrix is larger than the codes, and of 16 draws the one with the largest least distance is
    kept.

    Parameters
    ----------
    classes, bits : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int8, shape (classes, bits)
        -1 or 1.
    """
    size: int = 2 ** math.ceil(math.log2(max(classes, bits)))
    hadamard = _hadamard(size)
    best, widest = hadamard[:classes, :bits], -1
    for _ in range(1 if size == bits else _DRAWS):
        rows, columns = rng.permutation(size)[:classes], rng.permutation(size)[:bits]
        drawn = hadamard[rows][:, columns]
        least = _least_distance(drawn)
        if least > widest:
            best, widest = drawn, least
    signs = rng.choice(np.array([-1, 1], dtype=np.int8), size=bits)
    scattered: NDArray[np.int8] = best * signs
    return scattered


def nested_codes(classes: int, lengths: Sequence[int], rng: np.random.Generator) -> Tensor:
    """Draw nested codes: the bits that each length adds to the one before are far apart by themselves.

    Returns
    -------
    Tensor, shape (classes, lengths[-1])
        -1 or 1.
    """
    added = np.diff((0, *lengths)).tolist()  # bits that each length has more than the one before
    parts = [class_codes(classes, bits, rng) for bits in added]
    return torch.from_numpy(np.concatenate(parts, axis=1)).float()


def _hadamard(size: int) -> NDArray[np.int8]:
    """Sylvester's construction; size is a power of two."""
    matrix = np.ones((1, 1), dtype=np.int8)
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def _least_distance(codes: NDArray[np.int8]) -> int:
    if len(codes) < 2:
        return 0
    wide = codes.astype(np.float32)
    products = wide @ wide.T
    np.fill_diagonal(products, -np.inf)
    bits: int = codes.shape[1]
    return round((bits - float(products.max())) / 2)
