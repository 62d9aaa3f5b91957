"""Selecting frames by their metadata: the columns of the index against SQLite over the same values."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import date

import numpy as np

from benchmark.speed.timing import Rounds, interleave, speed_row
from benchmark.types import Progress
from hmar.index.frames import FrameTable
from hmar.properties.table import TABLE
from hmar.values.codes import EncodedFrame
from hmar.values.frames import FrameInfo
from hmar.values.selection import Selection

PEER = "SQLite in memory, SELECT over the same values"
SELECTIONS: Mapping[str, Selection] = {
    "CT": Selection(filters={"modality": frozenset({"CT"})}),
    "CT or MR": Selection(filters={"modality": frozenset({"CT", "MR"})}),
    "women": Selection(filters={"sex": frozenset({"F"})}),
    "aged 40 to 60": Selection(filters={"age_years": (40, 60)}),
    "studies of 2010 to 2015": Selection(filters={"study_date": (date(2010, 1, 1), date(2015, 12, 31))}),
    "chest CT by Siemens, women aged 40 to 60": Selection(
        filters={
            "modality": frozenset({"CT"}),
            "body_part": frozenset({"CHEST"}),
            "sex": frozenset({"F"}),
            "manufacturer": frozenset({"SIEMENS"}),
            "age_years": (40, 60),
        }
    ),
}


def measure_selection(
    batches: Iterable[Sequence[FrameInfo]], rounds: Rounds, progress: Progress
) -> list[dict[str, object]]:
    """Time each of ``SELECTIONS`` on frames with the metadata given; the frames found are compared.

    Parameters
    ----------
    batches : iterable of sequence of FrameInfo
        One row for each frame.
    rounds : Rounds
    progress : Progress
    """
    table = FrameTable.empty()
    with closing(sqlite3.connect(":memory:")) as database:
        for batch in batches:
            _extend(table, batch)
            insert(database, batch)
        return [
            _row(name, selection, table, database, rounds, progress) for name, selection in SELECTIONS.items()
        ]


def _extend(table: FrameTable, infos: Sequence[FrameInfo]) -> None:
    code, codes, ids = np.zeros(16, np.uint8), np.empty((0, 16), np.uint8), np.empty(0, np.uint32)
    first = len(table) + 1
    table.extend(
        [
            (number, "speed", EncodedFrame(info, code, codes, ids, (0.5, 0.5), "speed"))
            for number, info in enumerate(infos, start=first)
        ]
    )


def _row(
    name: str,
    selection: Selection,
    table: FrameTable,
    database: sqlite3.Connection,
    rounds: Rounds,
    progress: Progress,
) -> dict[str, object]:
    own = f"FrameTable.selected: {name}"
    calls: dict[str, Callable[[int], object]] = {
        own: lambda _: table.selected(selection),
        PEER: lambda _: select(database, selection),
    }
    times = interleave(calls, rounds, f"selecting: {name}", progress)
    found = table.entry_ids[table.selected(selection)].tolist()
    return speed_row(
        "filters",
        own,
        PEER,
        times[own],
        times[PEER],
        rounds,
        setting=f"{len(table)} frames, of which {len(found)} are selected ({len(found) / len(table):.2%})",
        threads=1,
        frames=len(table),
        selected=len(found),
        quality={"frames equal to the peer's": found == select(database, selection)},
    )


def insert(database: sqlite3.Connection, infos: Iterable[FrameInfo]) -> None:
    """Add frames to a database, whose row numbers then count them from 1."""
    database.execute(f"CREATE TABLE IF NOT EXISTS frames ({', '.join(TABLE)})")
    # The columns are the table's own names; what frames have is bound.
    statement = f"INSERT INTO frames VALUES ({', '.join('?' * len(TABLE))})"  # noqa: S608
    database.executemany(statement, ([_number(getattr(info, name)) for name in TABLE] for info in infos))


def select(database: sqlite3.Connection, selection: Selection) -> list[int]:
    """Return the row numbers of what a selection's filters find, ascending."""
    conditions, values = ["1"], list[object]()
    for name, condition in selection.filters.items():
        if isinstance(condition, frozenset):
            conditions.append(f"{name} IN ({', '.join('?' * len(condition))})")
            values += condition
        elif isinstance(condition, tuple):
            conditions.append(f"{name} BETWEEN ? AND ?")
            values += map(_number, condition)
        else:
            conditions.append(f"{name} = ?")
            values.append(condition)
    # The conditions are made of the table's own names; what is asked for is bound.
    statement = f"SELECT rowid FROM frames WHERE {' AND '.join(conditions)} ORDER BY rowid"  # noqa: S608
    return [row for (row,) in database.execute(statement, values)]


def _number(value: object) -> object:
    """Return a day as a number, for SQLite has no days, and anything else as it is."""
    return value.toordinal() if isinstance(value, date) else value
