"""The site's file of what its labels mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmar.errors import ConfigError
from hmar.label_notes import LONGEST, MOST_BYTES, MOST_DIFFERENTIALS, LabelNote, read_label_notes

NOTES = """
["proven nodules"]
name = "Lung nodule"
differential = ["Granuloma", " Hamartoma "]
note = "Fat speaks for a hamartoma."

[cyst]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "labels.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_notes_are_in_the_order_of_the_file_and_a_label_may_have_a_part_of_them(tmp_path: Path) -> None:
    nodule = LabelNote(
        "proven nodules", "Lung nodule", ("Granuloma", "Hamartoma"), "Fat speaks for a hamartoma."
    )
    assert read_label_notes(written(tmp_path, NOTES)) == [nodule, LabelNote("cyst")]


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert read_label_notes(tmp_path / "labels.toml") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[cyst", "labels.toml"),
        ("cyst = 'x'", "no table"),
        ("[cyst]\ncolour = 'red'", "'colour'"),
        ("[cyst]\nname = 3", "as name"),
        ("[cyst]\nname = ' '", "as name"),
        (f"[cyst]\nnote = '{'x' * (LONGEST + 1)}'", "as note"),
        ("[cyst]\ndifferential = 'x'", "as differential"),
        ("[cyst]\ndifferential = [1]", "as differential"),
        (f"[cyst]\ndifferential = {['x'] * (MOST_DIFFERENTIALS + 1)}", "as differential"),
        (f"['{'x' * 65}']", "no label"),
        (f"# {'x' * MOST_BYTES}", "bytes"),
        ("[cyst]\n['cyst ']", "two notes for 'cyst'"),
        (f"cyst = {'[' * 100_000}", "too deeply"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_label_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_label_notes(written(tmp_path, text))
    assert said in str(caught.value)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.toml"
    path.write_bytes("[zyste]\nname = 'Größe'".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"labels\.toml"):
        read_label_notes(path)
