"""The report as Markdown: the same tables, for a repository or a mail."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from benchmark.report.labels import DEFINITIONS, Row
from benchmark.report.montage import Montage
from benchmark.report.tables import (
    Table,
    accuracy_table,
    area_table,
    class_table,
    environment_table,
    groups,
    other_tables,
    speed_tables,
)

_ACTIVE = re.compile(r"([\\`*_\[\]|~])")


def markdown_page(
    rows: Sequence[Row],
    title: str,
    environment: Mapping[str, object],
    montages: Sequence[tuple[str, Montage]],
) -> str:
    """Return the text.

    Parameters
    ----------
    rows, title, environment
        As for the page.
    montages : sequence of (str, Montage)
        Each with the name of the PNG file beside the text.
    """
    parts = [f"# {escaped(title)}"]
    for group in groups(rows):
        parts.append(_table(accuracy_table(group), "##"))
        further = (class_table(group), area_table(group))
        parts += [_table(table, "###") for table in further if table is not None]
    if montages:
        parts.append("## Queries and their first hits")
        parts += [f"![{escaped(montage.description)}]({name})" for name, montage in montages]
    parts += [_table(table, "##") for table in (*speed_tables(rows), *other_tables(rows))]
    parts.append("## What the columns mean")
    parts.append("\n".join(f"- **{term}**: {text}" for term, text in DEFINITIONS.items()))
    parts.append(_table(environment_table(environment), "##"))
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return a text on one line in which nothing is Markdown or HTML."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ACTIVE.sub(r"\\\1", plain)


def _table(table: Table, level: str) -> str:
    lines = [_line([escaped(heading) for heading in table.headings]), _line(["---"] * len(table.headings))]
    for cells, mark in zip(table.rows, table.marks, strict=True):
        first = f"{cells[0]} [{mark}]" if mark else cells[0]
        lines.append(_line([escaped(cell) for cell in (first, *cells[1:])]))
    note = f"{escaped(table.note)}\n\n" if table.note else ""
    return f"{level} {escaped(table.title)}\n\n{note}" + "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
