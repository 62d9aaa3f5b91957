"""The rows of ``hmar bench`` on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Shown

from benchmark.report.tables import Table, accuracy_table, groups, other_tables, speed_tables

_ACCURACY = frozenset(
    {"name", "dataset", "protocol", "direction", "bits", "macro_map", "ci95", "micro_map", "sd", "iou"}
    | {
        "share",
        "share_ci95",
        "clusters",
        "floats",
        "p_at_1",
        "p_at_5",
        "p_at_10",
        "difference_to_linear",
        "gallery_learnt_from",
    }
)
"""The columns that fit into a terminal; reports have more."""
LOG_WIDTH = 160


def print_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """Print the tables of the report, those of accuracy with fewer columns, and what protocols mean."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=LOG_WIDTH)
    narrow = [{key: value for key, value in row.items() if key in _ACCURACY} for row in rows]
    tables = [accuracy_table(group) for group in groups(narrow)]
    for table in (*tables, *speed_tables(rows), *other_tables(rows)):
        console.print(_shown(table))


def _shown(table: Table) -> Shown:
    drawn = Shown(
        title=table.title.replace("[", r"\["),
        caption=table.note.replace("[", r"\["),
        box=SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
        caption_justify="left",
    )
    for number, heading in enumerate(table.headings):
        drawn.add_column(heading, justify="right" if number else "left")
    for (first, *rest), mark in zip(table.rows, table.marks, strict=True):
        cells = (f"{first} [{mark}]" if mark else first, *rest)
        drawn.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return drawn
