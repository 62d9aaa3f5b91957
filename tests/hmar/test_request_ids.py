"""An id of a request is short and harmless, and belongs to the context that works on it."""

from __future__ import annotations

import threading

import pytest

from hmar import request_ids


@pytest.mark.parametrize("text", ["a", "ward-7_000042", "f" * 64, "0b6f1f6a-4d1d-4b0c-8a53-c6a1f4f5c2de"])
def test_letters_digits_hyphens_and_underscores_are_taken_as_given(text: str) -> None:
    assert request_ids.chosen(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "f" * 65,
        "a b",
        "a\n",
        "Doe^Jane",
        "1.2.840.10008.1",
        "hmar_k3y",
        'a"b',
        "caf\xe9",
    ],
)
def test_anything_else_uids_and_keys_among_it_is_replaced_by_a_new_one(text: str) -> None:
    made = {request_ids.chosen(text) for _ in range(2)}
    assert len(made) == 2
    assert text not in made
    assert all(map(request_ids.valid, made))


def test_an_id_belongs_to_its_context() -> None:
    seen: list[str] = []
    with request_ids.within("outer"):
        with request_ids.within("inner"):
            assert request_ids.current() == "inner"
        thread = threading.Thread(target=lambda: seen.append(request_ids.current()))
        thread.start()
        thread.join()
        assert (request_ids.current(), seen) == ("outer", [""])
    assert request_ids.current() == ""
