from __future__ import annotations

import pytest

from hmar.adapters.memory import MemorySource
from hmar.errors import LimitError, NotFoundError

FILES = {"a/2": b"two", "a/1": b"one", "ab": b"three"}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("", ["a/1", "a/2", "ab"]), (".", ["a/1", "a/2", "ab"]), ("a", ["a/1", "a/2"]), ("a/1", ["a/1"])],
)
def test_files_at_or_below_a_reference_are_listed_sorted(reference: str, expected: list[str]) -> None:
    assert list(MemorySource(FILES).list(reference)) == expected


def test_nothing_at_a_reference_is_not_found_and_not_repeated_in_the_message() -> None:
    for call in (lambda s: s.list("patient-name"), lambda s: s.fetch("patient-name", 99)):
        with pytest.raises(NotFoundError) as raised:
            call(MemorySource(FILES))
        assert "patient-name" not in str(raised.value)


def test_a_file_is_fetched_up_to_the_limit() -> None:
    source = MemorySource(FILES)
    assert source.fetch("ab", 5) == b"three"
    with pytest.raises(LimitError, match="5 bytes"):
        source.fetch("ab", 4)
