"""The names of structures by the numbers that masks have for them."""

from __future__ import annotations

import ast
import csv
from collections.abc import Mapping
from pathlib import Path

from hmar.errors import DecodeError


def read_class_map(path: Path, remedy: str) -> dict[int, str]:
    """Read the names of structures, by number.

    Parameters
    ----------
    path : Path
        A table (``.csv``) with the columns ``id`` and ``structure``; or a Python file (``.py``) that assigns
        ``class_map``, as TotalSegmentator's does, of which ``"total"`` is read as data: nothing is run.
    remedy : str
        What to do about a file that cannot be read.

    Raises
    ------
    DecodeError
        If the file holds no such names.
    """
    read = {".csv": _from_table, ".py": _from_source}[path.suffix]
    try:
        names = read(path)
    except (SyntaxError, ValueError, KeyError, TypeError) as error:
        raise DecodeError(f"{path} holds no names of structures ({error}).", remedy) from error
    return dict(names)


def _from_table(path: Path) -> Mapping[int, str]:
    with path.open(newline="", encoding="utf-8") as file:
        return {int(row["id"]): row["structure"] for row in csv.DictReader(file)}


def _from_source(path: Path) -> Mapping[int, str]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "class_map":
            names: Mapping[int, str] = ast.literal_eval(node.value)["total"]
            return names
    raise ValueError("no class_map")
