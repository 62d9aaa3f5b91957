"""Names of collections and keys."""

from __future__ import annotations

import pytest

from hmar.errors import ParameterError
from hmar.values.names import checked_name


@pytest.mark.parametrize("name", ["a", "7", "Teaching-set_2.b", "x" * 64])
def test_a_plain_name_is_returned(name: str) -> None:
    assert checked_name("collection", name) == name


@pytest.mark.parametrize("name", ["", "-x", ".x", "a b", "../x", "x" * 65, "ä", "x\n", None, 7, ["x"]])
def test_anything_else_is_refused_with_what_was_given(name: object) -> None:
    with pytest.raises(ParameterError, match="The key's name is") as refused:
        checked_name("key", name)
    assert refused.value.detail.isprintable()
    assert len(refused.value.detail) < 120
