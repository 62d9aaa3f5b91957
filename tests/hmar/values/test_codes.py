from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.values.codes import distinct_windows
from tests.contract.examples import bits_code, encoded


@pytest.mark.slow
@given(st.lists(st.integers(0, 5), max_size=12))
def test_of_windows_with_equal_codes_the_first_alone_is_kept(places: list[int]) -> None:
    codes = np.array([bits_code(place) for place in places], np.uint8).reshape(-1, 16)
    ids = np.arange(100, 100 + len(places), dtype=np.uint32)
    frame = replace(encoded(), window_codes=codes, window_ids=ids)
    kept = distinct_windows(frame)
    first = [at for at, place in enumerate(places) if place not in places[:at]]
    np.testing.assert_array_equal(kept.window_codes, codes[first])
    assert kept.window_ids.tolist() == ids[first].tolist()
    assert (kept.info, kept.gate) == (frame.info, frame.gate)
