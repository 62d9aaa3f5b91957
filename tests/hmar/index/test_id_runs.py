from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from hmar.image.windows import WindowConfig, windows_of_shares
from hmar.index.id_runs import to_ids, to_runs

ANY = st.lists(st.integers(0, 2**32 - 1), max_size=30)
CLOSE = st.lists(st.integers(0, 6), max_size=60)


@example(ids=[])
@example(ids=[3])
@given(ids=ANY | CLOSE | ANY.map(sorted) | CLOSE.map(sorted))
def test_any_ids_come_back_in_order(ids: list[int]) -> None:
    runs = to_runs(np.array(ids, np.uint32))
    assert runs.dtype == np.uint32
    assert runs.shape[1] == 2
    assert len(runs) <= len(ids)
    assert to_ids(runs).tolist() == ids


@given(starts=st.lists(st.integers(0, 2**20), max_size=5), stride=st.integers(0, 65535))
def test_ids_of_one_stride_are_one_run(starts: list[int], stride: int) -> None:
    for start in starts:
        ids = start + stride * np.arange(9)
        assert to_runs(ids.astype(np.uint32)).tolist() == [[start, stride << 16 | 9]]


def test_a_run_ends_where_its_length_or_stride_no_longer_fits() -> None:
    long = np.arange(70_000, dtype=np.uint32)
    assert to_runs(long).tolist() == [[0, 1 << 16 | 65_535], [65_535, 1 << 16 | 4_465]]
    assert to_ids(to_runs(long)).tolist() == long.tolist()
    apart = np.array([0, 65_535, 131_071, 131_070], np.uint32)
    assert to_runs(apart).tolist() == [[0, 65_535 << 16 | 2], [131_071, 1], [131_070, 1]]


def test_the_windows_of_a_disc_take_a_byte_each_at_most() -> None:
    rows, columns = np.mgrid[:32, :32] - 15.5
    ids = windows_of_shares((rows**2 + columns**2 < 14**2).astype(np.float32), WindowConfig())
    runs = to_runs(ids)
    assert to_ids(runs).tolist() == ids.tolist()
    assert runs.nbytes <= len(ids)
    assert all(int(one) < int(other) for one, other in pairwise(ids))
