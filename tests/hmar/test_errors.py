"""How messages show what they are about."""

from __future__ import annotations

import pytest

from hmar.errors import first_of


@pytest.mark.parametrize(
    ("items", "listed"),
    [([], ""), ([7], "7"), ((7, "b", 9), "7, b, 9"), ([7, 8, 9, 10], "7, 8, 9, ...")],
)
def test_a_list_is_cut_where_a_message_has_no_room_for_all(items: list[object], listed: str) -> None:
    assert first_of(items, 3) == listed
