"""Segmented palettes (PS3.3 C.7.9.2)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.dicom.segments import expanded
from hmar.errors import DecodeError

DISCRETE, LINEAR, INDIRECT = 0, 1, 2


def expand(units: list[int], count: int, bits: int = 16, dtype: str = "<u2") -> list[int]:
    return expanded(np.array(units, dtype).tobytes(), count, bits, "<", "red palette").tolist()


def test_discrete_segments_are_copied_and_linear_ones_run_from_the_entry_before() -> None:
    assert expand([DISCRETE, 2, 7, 100, LINEAR, 4, 200, DISCRETE, 1, 5], 7) == [7, 100, 125, 150, 175, 200, 5]


@pytest.mark.parametrize(("dtype", "bits", "start"), [("<u2", 16, [6, 0]), ("<u1", 8, [3, 0, 0, 0])])
def test_indirect_segments_repeat_those_at_a_byte_offset(dtype: str, bits: int, start: list[int]) -> None:
    units = [DISCRETE, 1, 9, LINEAR, 3, 12, INDIRECT, 1, *start]
    assert expand(units, 7, bits, dtype) == [9, 10, 11, 12, 12, 12, 12]


def test_8_bit_segments_may_lie_in_words() -> None:
    assert expand([DISCRETE, 3, 1, 2, 3], 3, bits=8) == [1, 2, 3]


def test_a_unit_of_padding_at_the_end_is_ignored() -> None:
    assert expand([DISCRETE, 2, 1, 2, 0], 2) == [1, 2]


@pytest.mark.parametrize(
    "units",
    [
        [LINEAR, 3, 12],  # nothing to begin with
        [DISCRETE, 4, 1, 2],  # too short
        [DISCRETE, 2, 1, 2],  # too few entries
        [DISCRETE, 5, 1, 2, 3, 4, 5],  # too many
        [DISCRETE, 0, DISCRETE, 3, 1, 2, 3],  # an empty segment
        [7, 3, 1, 2, 3],
        [DISCRETE, 1, 1, INDIRECT, 1, 9999, 0],  # outside
        [DISCRETE, 1, 1, INDIRECT, 0, 0, 0],
        [DISCRETE, 1, 1, INDIRECT, 1, 6, 0],  # itself
        [],
    ],
)
def test_segments_that_do_not_give_the_declared_entries_are_refused(units: list[int]) -> None:
    with pytest.raises(DecodeError, match="segments of the red palette do not give the 3 entries"):
        expand(units, 3)


def test_a_bomb_of_indirect_segments_is_refused_within_the_65536_entries_of_a_palette() -> None:
    units = [DISCRETE, 1, 1, *[LINEAR, 65_535, 2] * 4_000, *[INDIRECT, 65_535, 6, 0] * 4_000]
    with pytest.raises(DecodeError, match="65536 entries"):
        expand(units, 65_536)


@pytest.mark.slow
@settings(max_examples=300)
@given(st.binary(max_size=200), st.integers(1, 65_536), st.sampled_from([8, 12, 16]))
def test_any_bytes_give_the_declared_entries_or_a_refusal(data: bytes, count: int, bits: int) -> None:
    try:
        assert len(expanded(data, count, bits, "<", "red palette")) == count
    except DecodeError as refusal:
        assert refusal.remedy  # noqa: PT017 - either outcome is right
