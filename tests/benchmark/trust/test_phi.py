"""Planted identifiers are found in every form, and all files hold some."""

from __future__ import annotations

import base64

import pytest

from benchmark.trust.phi.forms import all_forms, bytes_found
from benchmark.trust.phi.plants import PLANTED, good_file, odd_files

TEXT = "Zwölfschuh"
FORMS = all_forms({"name": [TEXT]})


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.upper().encode(),
        TEXT.encode("latin-1"),
        TEXT.encode("utf-16-le"),
        TEXT.encode().hex().encode(),
        b"Zw%C3%B6lfschuh",
        b"Zw\\u00f6lfschuh",
        b"Zw\\xf6lfschuh",
        base64.b64encode(TEXT.encode()),
        base64.b64encode(b"." + TEXT.encode() + b"xx"),
        base64.b64encode(b".." + TEXT.encode() + b"x"),
    ],
)
def test_a_text_is_found_in_every_form(data: bytes) -> None:
    assert bytes_found(b"before " + data + b" after", FORMS)["name"] >= len(TEXT)


def test_what_is_not_there_is_not_found() -> None:
    assert bytes_found(b"Zwoelfschuh, Zw\xfclfschuh, " + bytes(1000), FORMS) == {}


def test_a_good_file_holds_every_planted_text() -> None:
    assert set(bytes_found(good_file(1), all_forms(PLANTED))) == set(PLANTED)


def test_every_odd_file_holds_a_planted_text() -> None:
    files = list(odd_files())
    with_text = [data for data in files if bytes_found(data, all_forms(PLANTED))]
    assert len(files) > 30
    assert len(with_text) >= len(files) - 2  # of the cut pictures, the text may be cut off
