"""Boxes from what callers give for them."""

from __future__ import annotations

import numpy as np
import pytest

from hmar.errors import RegionError
from hmar.values.geometry import Box, box_of, region_of

BOX = Box(1, 2, 3.5, 4)


@pytest.mark.parametrize(
    "given",
    [
        *(BOX, (1, 2, 3.5, 4), [1, 2, 3.5, 4], "1,2,3.5,4", ["1", " 2", 3.5, "4e0"]),
        (np.int64(1), np.float32(2), 3.5, 4),
    ],
)
def test_four_numbers_are_a_box_however_they_are_given(given: object) -> None:
    found = box_of(given)
    assert found == BOX
    assert isinstance(found, Box)
    assert {type(value) for value in found} == {float}


@pytest.mark.parametrize(
    "given",
    [
        *(None, 7, True, {}, {1, 2, 3, 4}, b"1,2,3,4", b"abcd"),
        *("", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,nan,4", "1,2,inf,4", "1;2;3;4"),
        *([1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, None], [1, 2, 3, True], [1, 2, 3, [4]], [10**400, 2, 3, 4]),
        *((float("nan"), 2, 3, 4), Box(1, 2, float("inf"), 4)),
    ],
)
def test_anything_but_four_finite_numbers_is_no_box(given: object) -> None:
    assert box_of(given) is None
    with pytest.raises(RegionError, match="four finite numbers"):
        region_of(given)
