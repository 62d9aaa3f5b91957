from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.index.flat import FlatIndex
from hmar.types import Bits


def filled(codes: np.ndarray) -> FlatIndex:
    index = FlatIndex()
    index.add(np.arange(len(codes)) * 3 + 1, codes)
    return index


@pytest.mark.parametrize("bits", [64, 128])
@settings(deadline=None)
@given(values=st.lists(st.integers(0, 3), min_size=1, max_size=12), k=st.integers(1, 15))
def test_candidates_are_all_that_are_not_farther_than_the_kth(bits: Bits, values: list[int], k: int) -> None:
    codes = np.zeros((len(values), 16), np.uint8)
    codes[:, 0] = codes[:, 15] = values
    distances = {slot * 3 + 1: value.bit_count() for slot, value in enumerate(values)}
    farthest = sorted(distances.values())[:k][-1]
    found = filled(codes).candidates(np.zeros(16, np.uint8), k, bits)
    assert sorted(found.tolist()) == [i for i, distance in distances.items() if distance <= farthest]


def test_an_empty_index_has_no_candidates() -> None:
    assert len(FlatIndex().candidates(np.zeros(16, np.uint8), 5, 64)) == 0


def test_removed_entries_are_gone_and_others_keep_their_codes() -> None:
    codes = np.random.default_rng(0).integers(0, 256, (20, 16), np.uint8)
    index = filled(codes)
    index.remove(np.array([1, 4, 58]))
    assert len(index) == 17
    for slot in range(2, 19):
        assert index.candidates(codes[slot], 1, 128).tolist() == [slot * 3 + 1]
    assert not {1, 4, 58} & set(index.candidates(codes[0], 1000, 64).tolist())
