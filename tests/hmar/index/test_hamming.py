from __future__ import annotations

import numpy as np
import pytest

from hmar.index.hamming import code_words, row_distances
from hmar.values.codes import Bits

LENGTHS = pytest.mark.parametrize("bits", [64, 128])


def planes_of(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    words = code_words(codes)
    return words[:, 0], words[:, 1]


def bit_count(a: np.ndarray, b: np.ndarray, bits: int) -> int:
    length = bits // 8
    return (int.from_bytes(a[:length].tobytes()) ^ int.from_bytes(b[:length].tobytes())).bit_count()


@LENGTHS
def test_distances_count_the_first_bits_that_differ(bits: Bits) -> None:
    codes = np.random.default_rng(1).integers(0, 256, (50, 16), np.uint8)
    found = row_distances(planes_of(codes), code_words(codes[0]), bits)
    assert found.tolist() == [bit_count(code, codes[0], bits) for code in codes]


@LENGTHS
def test_opposite_codes_differ_in_every_bit(bits: Bits) -> None:
    ones = np.full((1, 16), 255, np.uint8)
    assert row_distances(planes_of(ones), code_words(~ones[0]), bits).tolist() == [bits]
