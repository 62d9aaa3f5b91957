"""Tables among the files of a folder: labels, boxes, names of structures, and where people come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hmar.errors import ParameterError
from hmar.label_table import PATIENT_COLUMNS, LabelRow, Row, label_row, names_labels, read_rows, value_of
from hmar.training.data.folders.left_out import LeftOut
from hmar.training.data.structures import NO_STRUCTURE
from hmar.training.data.vocabulary import structure_name

LESION = "lesion"
"""The structure of a box or a mask that has no name."""

NOTHING = frozenset({"background", "nothing", "none", "no_structure"})
"""Names of the number 0 that say that there is no structure where a mask has it."""

_COLLECTION = ("collection", "collectionid")
_LICENCE = ("licence", "license", "licenseshortname")
_DOI = ("doi", "sourcedoi")
_NUMBER = ("number", "value", "id")
_NAME = ("name", "structure")
_BOX = ("x", "y", "width", "height")


class Box(NamedTuple):
    """A box on an image.

    Parameters
    ----------
    row : LabelRow
        The image.
    structure : str
    sides : tuple of float
        (x, y, width, height) in pixels; pixel 0 covers 0 to 1.
    """

    row: LabelRow
    structure: str
    sides: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Collection:
    """Where images come from, and on which terms; ``licence`` and ``doi`` are empty where unknown."""

    name: str
    licence: str = ""
    doi: str = ""


class Member(NamedTuple):
    """A row that says which collection a series or a person belongs to."""

    person: str | None
    series_uid: str | None
    modality: str | None
    collection: Collection


@dataclass(slots=True)
class Tables:
    """What the tables of all folders say.

    Parameters
    ----------
    labels : list of LabelRow
    boxes : list of Box
    members : list of Member
    names : dict of Path to dict of int to str
        Names of the numbers in masks, by the folder of their table.
    """

    labels: list[LabelRow] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    names: dict[Path, dict[int, str]] = field(default_factory=dict)

    def names_of(self, folder: Path) -> dict[int, str]:
        """Return the names of numbers in the masks of a folder: from its own table, or one above it."""
        return next((self.names[each] for each in (folder, *folder.parents) if each in self.names), {})

    def read(self, path: Path, left_out: LeftOut) -> bool:
        """Add what a table says; return whether it is one of a known kind."""
        try:
            rows = read_rows(path)
        except ParameterError:
            left_out.add("tables", "not a table in UTF-8")
            return False
        columns = {*rows[0]} if rows else set[str]()
        if columns.issuperset(_BOX):
            self._add_boxes(rows, path.parent, left_out)
        elif columns.intersection(_COLLECTION) and columns.intersection(_LICENCE):
            self._add_members(rows)
        elif names_labels([*columns]):
            self._add_labels(rows, path.parent, left_out)
        elif columns.intersection(_NUMBER) and columns.intersection(_NAME):
            self._add_names(rows, path.parent, left_out)
        else:
            left_out.add("tables", "columns of no known kind of table")
            return False
        return True

    def _add_labels(self, rows: Sequence[Row], folder: Path, left_out: LeftOut) -> None:
        for row in rows:
            try:
                self.labels.append(label_row(row, folder))
            except ParameterError:
                left_out.add("rows of tables", "a label that is not 1 to 64 printable characters")

    def _add_boxes(self, rows: Sequence[Row], folder: Path, left_out: LeftOut) -> None:
        for row in rows:
            try:
                x, y, width, height = (float(row[name]) for name in _BOX)
            except ValueError:
                left_out.add("rows of tables", "a box whose sides are no numbers")
                continue
            if width > 0 and height > 0:
                structure = structure_name(row.get("label", "")) or LESION
                image = label_row({**row, "label": ""}, folder)
                self.boxes.append(Box(image, structure, (x, y, width, height)))
            else:
                left_out.add("rows of tables", "a box without area")

    def _add_members(self, rows: Sequence[Row]) -> None:
        for row in rows:
            name = value_of(row, _COLLECTION)
            if name:
                collection = Collection(name, value_of(row, _LICENCE) or "", value_of(row, _DOI) or "")
                person, series = value_of(row, PATIENT_COLUMNS), row.get("seriesinstanceuid") or None
                self.members.append(Member(person, series, row.get("modality") or None, collection))

    def _add_names(self, rows: Sequence[Row], folder: Path, left_out: LeftOut) -> None:
        names = self.names.setdefault(folder, {})
        for row in rows:
            number, name = value_of(row, _NUMBER) or "", structure_name(value_of(row, _NAME) or "")
            if number.isascii() and number.isdigit() and name:
                names[int(number)] = name
            else:
                left_out.add("rows of tables", "a structure without number or name")


def nothing_or_unknown(names: dict[int, str], unknown: int) -> int:
    """Return what the number 0 of a mask means: no structure where the names say so, else unknown."""
    return NO_STRUCTURE if names.get(0) in NOTHING else unknown
