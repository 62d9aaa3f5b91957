"""Tables that say what images show: for each file or UID a label, and the patient where the file has none."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hmar.errors import ParameterError
from hmar.properties.kinds.labels import label_value

Row = Mapping[str, str]

PATH_COLUMNS = ("path", "file", "filename")
UID_COLUMNS = ("sopinstanceuid", "seriesinstanceuid", "uid")
PATIENT_COLUMNS = ("patient", "patientid", "person", "group")
ISSUER_COLUMNS = ("issuer", "issuerofpatientid")
LABEL_COLUMN = "label"
_ONE_OF = {"patient": PATIENT_COLUMNS, "issuer": ISSUER_COLUMNS, "label": (LABEL_COLUMN,)}
"""Of which columns a table of labels may have one: of several, nobody knows which is meant."""

_REMEDY = "Give a table in UTF-8 with a header, and commas between columns."
_CELLS_REMEDY = "Give every line as many cells as the header, and quote a text that has a comma in it."
_PATIENT_REMEDY = "Give the patient id as DICOM files have it, in printable characters, or leave it empty."
_COLUMNS_REMEDY = "Give it a column path, or sop_instance_uid, or series_instance_uid, and a column label."


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One row of a table of labels.

    Parameters
    ----------
    path : Path or None
        The file; relative paths begin at the table's folder.
    uids : tuple of str
        SOP Instance UID or Series Instance UID, as many as the row has.
    label : str or None
    patient : str or None
        Whatever the table calls the patient by.
    issuer : str
        Issuer of the patient id; empty where the table names none.
    line : int
        Line of the table in which the row ends, from 1; 0 where nobody asks.
    """

    path: Path | None
    uids: tuple[str, ...]
    label: str | None
    patient: str | None
    issuer: str = ""
    line: int = 0


def read_rows(path: Path) -> list[Row]:
    """Read a table; columns are named in lower case, without spaces and underscores.

    Raises
    ------
    ParameterError
        If the file is no table in UTF-8.
    """
    columns, lines = _read(path)
    return [_row(columns, cells) for _, cells in lines]


def names_labels(columns: Sequence[str]) -> bool:
    """Whether a table with these columns says the label or the patient of files or UIDs."""
    known = {*columns}
    return bool(known.intersection((*PATH_COLUMNS, *UID_COLUMNS))) and bool(
        known.intersection((LABEL_COLUMN, *PATIENT_COLUMNS))
    )


def label_row(row: Row, folder: Path) -> LabelRow:
    """Return a row of a table in a folder; raises ParameterError for a label that cannot be used."""
    path, label = value_of(row, PATH_COLUMNS), row.get(LABEL_COLUMN)
    return LabelRow(
        None if path is None else Path(os.path.normpath(folder / path)),
        tuple(row[name] for name in UID_COLUMNS if row.get(name)),
        label_value(label) if label else None,
        value_of(row, PATIENT_COLUMNS),
        value_of(row, ISSUER_COLUMNS) or "",
    )


def read_labels(path: Path) -> list[LabelRow]:
    """Read a table of labels, and of patients where it names them.

    Raises
    ------
    ParameterError
        If the file is no table, lacks the columns of one of labels, has several columns for the patient, the
        issuer or the label, a line with more or fewer cells than the header, or a label or a patient that
        cannot be used. The message names the line, and never the patient.
    """
    columns, lines = _read(path)
    if lines and not (names_labels(columns) and LABEL_COLUMN in columns):
        raise ParameterError(f"{path.name} is no table of labels.", _COLUMNS_REMEDY)
    for what, names in _ONE_OF.items():
        found = [column for column in columns if column in names]
        if len(found) > 1:
            raise ParameterError(
                f"{path.name} has several columns for the {what}: {', '.join(found)}.",
                "Keep one of them, and give the others other names.",
            )
    return [_labels_of(columns, cells, path, line) for line, cells in lines]


def _labels_of(columns: Sequence[str], cells: Sequence[str], path: Path, line: int) -> LabelRow:
    where = f"Line {line} of {path.name}"
    if len(cells) != len(columns):
        raise ParameterError(
            f"{where} has {len(cells)} cells, and the header has {len(columns)}.", _CELLS_REMEDY
        )
    try:
        row = replace(label_row(_row(columns, cells), path.parent), line=line)
    except ParameterError as error:
        raise ParameterError(f"{where}: {error.detail}", error.remedy) from error
    if not f"{row.patient or ''}{row.issuer}".isprintable():
        raise ParameterError(f"{where} has a patient that is not printable.", _PATIENT_REMEDY)
    if row.issuer and row.patient is None:
        raise ParameterError(f"{where} has the issuer of a patient id, and no patient.", _PATIENT_REMEDY)
    return row


def value_of(row: Row, columns: Sequence[str]) -> str | None:
    """Return the first of some columns that a row fills."""
    return next((row[name] for name in columns if row.get(name)), None)


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the columns of a table, and the cells of its rows, each with the line where it ends."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            columns = [_canonical(name) for name in next(reader, [])]
            return columns, [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ParameterError(f"{path.name} cannot be read as a table.", _REMEDY) from error


def _row(columns: Sequence[str], cells: Sequence[str]) -> Row:
    filled = [*cells, *[""] * (len(columns) - len(cells))]
    return {name: value.strip() for name, value in zip(columns, filled, strict=False)}


def _canonical(column: str) -> str:
    return "".join(char for char in column.lower() if char.isalnum())
