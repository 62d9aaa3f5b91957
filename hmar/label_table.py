"""Tables that say what images show: for each file or UID a label, and the patient where the file has none."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmar.errors import ParameterError
from hmar.properties.kinds.labels import label_value

Row = Mapping[str, str]

PATH_COLUMNS = ("path", "file", "filename")
UID_COLUMNS = ("sopinstanceuid", "seriesinstanceuid", "uid")
PATIENT_COLUMNS = ("patient", "patientid", "person", "group")
LABEL_COLUMN = "label"

_REMEDY = "Give a table in UTF-8 with a header, and commas between columns."
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
    """

    path: Path | None
    uids: tuple[str, ...]
    label: str | None
    patient: str | None


def read_rows(path: Path) -> list[Row]:
    """Read a table; columns are named in lower case, without spaces and underscores.

    Raises
    ------
    ParameterError
        If the file is no table in UTF-8.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [
                {_canonical(name): (value or "").strip() for name, value in row.items() if name is not None}
                for row in csv.DictReader(file)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ParameterError(f"{path.name} cannot be read as a table.", _REMEDY) from error


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
    )


def read_labels(path: Path) -> list[LabelRow]:
    """Read a table of labels.

    Raises
    ------
    ParameterError
        If the file is no table, lacks the columns of one of labels, or has a label that cannot be used.
    """
    rows = read_rows(path)
    if rows and not (names_labels([*rows[0]]) and LABEL_COLUMN in rows[0]):
        raise ParameterError(f"{path.name} is no table of labels.", _COLUMNS_REMEDY)
    return [label_row(row, path.parent) for row in rows]


def value_of(row: Row, columns: Sequence[str]) -> str | None:
    """Return the first of some columns that a row fills."""
    return next((row[name] for name in columns if row.get(name)), None)


def _canonical(column: str) -> str:
    return "".join(char for char in column.lower() if char.isalnum())
