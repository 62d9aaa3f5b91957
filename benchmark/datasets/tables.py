"""CSV lists, tolerant of how they are written, and the paths in them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from benchmark.types import Split
from hmar.errors import ConfigError

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""How lists and folders spell the three splits, in lower case."""
PICTURES = frozenset({".png", ".jpg", ".jpeg"})
"""Suffixes, in lower case, of files whose names may be told."""
_DRIVE = re.compile(r"[A-Za-z]:|\\")


def read_table(path: Path, required: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV file with a header line.

    Parameters
    ----------
    path : Path
        Comma-separated, UTF-8, with or without byte order mark.
    required : sequence of str
        Columns that must be there, in lower case.

    Returns
    -------
    list of dict
        Cells by column name, both without spaces around them, names in lower case; an absent cell is "".

    Raises
    ------
    ConfigError
        If the file or a required column is missing, or the file is not such a list.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip().lower() for name in next(reader, [])]
            rows = [[cell.strip() for cell in row] for row in reader]
    except FileNotFoundError as error:
        raise ConfigError(
            f"The list {path} is missing.", f"Put {path.name} there, or correct --root."
        ) from error
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigError(
            f"The list {path} cannot be read ({type(error).__name__}).", "Give a CSV file in UTF-8."
        ) from error
    missing = [name for name in required if name not in header]
    if missing:
        raise ConfigError(
            f"The list {path} has no column {' and no column '.join(missing)}; its header has {len(header)}.",
            f"Its first line must name the columns {', '.join(required)}, separated by commas.",
        )
    return [dict.fromkeys(header, "") | dict(zip(header, row, strict=False)) for row in rows if any(row)]


def inner_parts(text: str) -> tuple[str, ...] | None:
    """Return the parts of a listed path if it is relative and does not climb, else None.

    Links inside the data set are followed: large archives are often linked into place.
    """
    parts = tuple(part for part in text.split("/") if part not in ("", "."))
    outside = text.startswith("/") or ".." in parts or _DRIVE.match(text) or "\0" in text
    return None if outside or not parts else parts


def some(names: Sequence[str], limit: int = 3) -> str:
    """Return the first few names, and how many more there are."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def left_out(names: Sequence[str]) -> str:
    """Return "left out", and the first of the names that may be told.

    Those are names of PNG and JPEG files: folders of other files, and DICOM files themselves, are often named
    after patients.
    """
    told = [name for name in names if PurePosixPath(name).suffix.lower() in PICTURES][:3]
    more = len(names) - len(told)
    return f"left out: {', '.join(told)}{f' and {more} more' if more else ''}" if told else "left out"


def counted(number: int, what: str, plural: str = "") -> str:
    """Return "1 image" or "2 images"."""
    return f"{number} {what}" if number == 1 else f"{number} {plural or what + 's'}"
