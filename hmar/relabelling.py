"""Relabelling: images that are indexed get other labels, by their UIDs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping

from hmar.errors import ParameterError, shown
from hmar.ports import Catalogue
from hmar.properties.kinds.labels import label_value
from hmar.values.deletion import Level, Selector
from hmar.values.relabelled import Relabelled

MAX_ROWS = 1000
MAX_BYTES = 1 << 19
"""Of a table; so many lines take less."""
_UID = re.compile(r"[!-~]{1,64}")
_COLUMNS: dict[str, Level] = {
    "sopinstanceuid": "instance",
    "seriesinstanceuid": "series",
    "studyinstanceuid": "study",
}
_REMEDY = (
    "Give a table in UTF-8 with commas and the columns label and one of sop_instance_uid, "
    "series_instance_uid and study_instance_uid."
)


def relabel(
    catalogue: Catalogue, labels: Mapping[Selector, str | None], collection: str | None
) -> Relabelled:
    """Give labels to what is indexed, in one collection or in all; None takes a label away.

    One thing after the other: a process that is killed leaves a rest, which the same call does.
    """
    changed, total, unknown = 0, 0, []
    for selector, label in labels.items():
        frames = catalogue.extent(selector, collection).frames
        # Also where there are none: of what is damaged the label is kept until it is indexed again.
        changed += catalogue.relabel(selector, label, collection)
        total += frames
        if not frames:
            unknown.append(selector.value)
    return Relabelled(changed, max(total - changed, 0), tuple(unknown))


def labels_of_table(data: bytes) -> dict[Selector, str | None]:
    """Return the labels that a CSV table gives to UIDs; an empty cell takes a label away.

    Raises
    ------
    ParameterError
        If it is no such table, or gives one UID two labels. The message names the line.
    """
    columns, *lines = _lines(data)
    names = ["".join(char for char in column.lower() if char.isalnum()) for column in columns]
    uids = [name for name in names if name in _COLUMNS]
    if sorted(names) != sorted([*uids, "label"]) or len(uids) != 1:
        raise ParameterError(f"The columns of the table are {shown(','.join(columns))}.", _REMEDY)
    level, at_uid, at_label = _COLUMNS[uids[0]], names.index(uids[0]), names.index("label")
    found: dict[Selector, str | None] = {}
    for number, cells in enumerate(lines, start=2):
        # Not what stands there in place of a UID: it may be a patient's name.
        if len(cells) != 2 or not _UID.fullmatch(cells[at_uid].strip()):
            raise ParameterError(
                f"Line {number} of the table has not both a UID and a cell for the label.", _REMEDY
            )
        text = cells[at_label].strip()
        try:
            label = label_value(text) if text else None
        except ParameterError as error:
            raise ParameterError(f"Line {number} of the table: {error.detail}", error.remedy) from error
        selector = Selector(level, cells[at_uid].strip())
        if found.setdefault(selector, label) != label:
            raise ParameterError(f"Line {number} of the table gives a UID another label.", "Give it one.")
    return found


def _lines(data: bytes) -> list[list[str]]:
    if len(data) > MAX_BYTES:
        raise ParameterError(
            f"The table has {len(data)} bytes, {MAX_BYTES} are allowed.", "Send it in several parts."
        )
    try:
        table = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        lines = list(filter(None, table))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ParameterError("The file cannot be read as a table.", _REMEDY) from error
    if not 2 <= len(lines) <= MAX_ROWS + 1:
        raise ParameterError(
            f"The table has {len(lines)} lines.", f"Give a header and 1 to {MAX_ROWS} lines."
        )
    return lines
