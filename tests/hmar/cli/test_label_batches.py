"""A table of labels to lists of files with a label each, and a patient where the table names one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmar.cli.label_batches import Batch, label_batches
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import ParameterError
from hmar.label_table import LabelRow

KEY = PatientHasher(bytes(16)).key
UIDS = {"a": ("1.1", "1"), "b": ("1.2", "1"), "c": ("2.1", "2")}


def row(
    line: int, name: str, label: str | None = None, patient: str | None = None, issuer: str = ""
) -> LabelRow:
    """Return a row that names a file by its letter, or by a UID."""
    path, uids = (Path("/", name), ()) if name.isalpha() else (None, (name,))
    return LabelRow(path, uids, label, patient, issuer, line)


def batches(*rows: LabelRow) -> list[Batch]:
    return label_batches(rows, "abc", UIDS.__getitem__, KEY)[0]


def test_files_have_the_label_of_their_batch_and_patients_of_their_own() -> None:
    assert batches(row(2, "a", "x", "p1"), row(3, "b", "y", "p2"), row(4, "c", "x")) == [
        Batch("x", ["a", "c"], {"a": str(KEY("p1"))}),
        Batch("y", ["b"], {"b": str(KEY("p2"))}),
    ]


def test_a_patient_has_the_key_that_a_header_with_id_and_issuer_gets() -> None:
    (batch,) = batches(row(2, "a", None, "p1"), row(3, "b", None, "p1", "clinic"))
    assert batch.patients == {"a": KEY("p1"), "b": KEY("p1", "clinic")}
    assert len({*batch.patients.values()}) == 2


def test_the_patient_may_stand_in_another_row_on_the_file_than_the_label() -> None:
    (batch, other) = batches(row(2, "a", "x"), row(3, "1", None, "p1"), row(4, "a", None, "p1"))
    assert batch == Batch("x", ["a"], {"a": str(KEY("p1"))})
    assert other == Batch(None, ["b", "c"], {"b": str(KEY("p1"))})


@pytest.mark.parametrize(
    "rows",
    [
        [row(2, "a", "x", "GEHEIM"), row(3, "c", "x", "p2"), row(7, "a", "x", "p2")],
        [row(2, "1", "x", "GEHEIM"), row(7, "a", "x", "p2")],
        [row(2, "1.1", "x", "GEHEIM"), row(7, "1", "x", "p2")],
        [row(2, "a", "x", "GEHEIM"), row(7, "a", "x", "GEHEIM", "clinic")],
    ],
)
def test_a_file_with_two_patients_is_refused_by_the_lines_that_name_them(rows: list[LabelRow]) -> None:
    with pytest.raises(
        ParameterError, match="Lines 2 and 7 of the table give one file two patients"
    ) as error:
        batches(*rows)
    assert "GEHEIM" not in str(error.value)


def test_the_same_patient_twice_is_one() -> None:
    assert batches(row(2, "a", "x", "p1"), row(3, "a", "x", "p1"))[0].patients == {"a": KEY("p1")}
