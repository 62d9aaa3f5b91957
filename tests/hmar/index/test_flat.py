from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.index.flat import FlatIndex
from hmar.values.codes import Bits


@pytest.mark.slow
@pytest.mark.parametrize("bits", [64, 128])
@settings(deadline=None)
@given(values=st.lists(st.integers(0, 3), min_size=1, max_size=12), k=st.integers(1, 15))
def test_candidates_are_all_that_are_not_farther_than_the_kth(bits: Bits, values: list[int], k: int) -> None:
    codes = np.zeros((len(values), 16), np.uint8)
    codes[:, 0] = codes[:, 15] = values
    index = FlatIndex(codes)
    assert len(index) == len(values)
    farthest = sorted(value.bit_count() for value in values)[:k][-1]
    expected = {i for i, value in enumerate(values) if value.bit_count() <= farthest}
    found = index.candidates(np.zeros(16, np.uint8), k, bits)
    assert set(found.tolist()) == expected
    assert len(found) == len(expected)


def test_an_empty_index_has_no_candidates() -> None:
    index = FlatIndex(np.empty((0, 16), np.uint8))
    assert len(index.candidates(np.zeros(16, np.uint8), 5, 64)) == 0
