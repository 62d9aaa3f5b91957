"""Rows of text in columns, whole: a UID that is cut short is worth nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from hmar.values.references import printable


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under the names of their columns; what is not known is a hyphen."""
    cells = [list(columns), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else printable(str(value))
