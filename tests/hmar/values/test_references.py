"""References come back as the path that they stand for, and terminals are shown nothing that steers them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hmar.values.references import named_as_image, path_of, printable, reference_of

NAMES = [
    b"a/b.dcm",
    "Schädel/größe.dcm".encode(),
    b"\xff",
    b"caf\xe9/\xc3(",
    rb"back\slash",
    rb"looks\xfflike an escape",
    b"\\\xff\\x5c",
    b"new\nline\x1b[31m\x7f",
    b"\xed\xa0\x80",  # a surrogate in UTF-8's scheme, which is no UTF-8
]


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_stands_for_the_same_bytes_again(name: bytes) -> None:
    reference = reference_of(name)
    reference.encode()  # a database takes it
    assert path_of(reference) == name
    assert reference_of(Path(os.fsdecode(name))) == reference


def test_different_names_have_different_references() -> None:
    assert len({reference_of(name) for name in NAMES}) == len(NAMES)


def test_plain_names_stand_for_themselves() -> None:
    assert reference_of("a/Schädel 1.dcm") == "a/Schädel 1.dcm"
    assert reference_of(b"\xff\\") == r"\xff\x5c"


def test_a_backslash_that_begins_no_escape_is_one() -> None:
    assert path_of(r"a\b") == rb"a\b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Schädel 1.dcm", "Schädel 1.dcm"), ("a\nb\x1b[2J", r"a\nb\x1b[2J"), ("\u202eexe", r"\u202eexe")],
)
def test_what_is_shown_steers_no_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("name", "is_image"),
    [("a/b.DCM", True), ("b.jpeg", True), ("a.dcm/b", False), ("notes.txt", False), (".dcm", False)],
)
def test_an_extension_says_that_a_file_is_an_image(name: str, is_image: bool) -> None:
    assert named_as_image(name) is is_image
