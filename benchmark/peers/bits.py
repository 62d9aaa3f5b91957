"""From logits to packed codes of any length, and codes for classes that lie far apart."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hmar.errors import ParameterError

_DRAWS = 16


def pack_bits(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pack logits (N, bits) into codes (N, bits / 8): a bit is 1 above 0, most significant bit first."""
    check_bits(logits.shape[1])
    return np.packbits(logits > 0, axis=1)


def check_bits(bits: int) -> int:
    """Return the length of a code, which must be a positive multiple of 8.

    Raises
    ------
    ParameterError
        If it is not.
    """
    if bits <= 0 or bits % 8:
        raise ParameterError(f"A code of {bits} bits has no bytes of its own.", "Use a multiple of 8.")
    return bits


def class_codes(classes: int, bits: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw one code a class, far from all others.

    Rows and columns of a Hadamard matrix, drawn at random, with random signs a column. Where ``bits`` is a
    power of two and not less than ``classes``, every two codes differ in exactly half the bits. Otherwise the
    matrix is larger than the codes, and of 16 draws that with the largest least distance is kept.

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
