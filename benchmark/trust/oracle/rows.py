"""The rows of an archive, read with SQLite's own library and nothing of the product's."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

DATABASE = "catalogue.db"


class FrameKey(NamedTuple):
    """Names a frame that is indexed at most once."""

    collection: str
    sop_instance_uid: str
    frame_number: int


class Codes(NamedTuple):
    """The codes of a frame as they lie in its row."""

    global_code: bytes
    window_codes: bytes
    window_ids: bytes


Frames = dict[FrameKey, Codes]


class Live(NamedTuple):
    """A live row, as far as searching it goes."""

    entry_id: int
    key: FrameKey
    series_uid: str
    codes: Codes


@contextmanager
def opened(home: Path) -> Iterator[sqlite3.Connection]:
    """Open the database of an archive for reading alone: a writer would tidy its log of writes up.

    A transaction that was cut short before the database had a write-ahead log has to be rolled back first,
    which a reader cannot do: that is done on a copy.
    """
    with closing(_reader(home)) as connection:
        if not _must_be_rolled_back(connection):
            yield connection
            return
    with tempfile.TemporaryDirectory() as folder:
        for part in home.glob(f"{DATABASE}*"):
            if part.is_file() and not part.name.endswith("-shm"):
                shutil.copyfile(part, Path(folder, part.name))
        with closing(sqlite3.connect(Path(folder, DATABASE))) as connection:
            yield connection


def _reader(home: Path) -> sqlite3.Connection:
    address = f"{(home / DATABASE).absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, timeout=30, uri=True)


def _must_be_rolled_back(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        # The low byte of an extended code is its kind.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        return True
    return False


def live_rows(home: Path) -> list[Live]:
    """Return the live rows of an archive in order of entry; none where there is no database yet."""
    query = (
        "SELECT entry_id, collection, sop_instance_uid, frame_number, series_uid, global_code,"
        " window_codes, window_ids FROM entries ORDER BY entry_id"
    )
    if not (home / DATABASE).exists():
        return []
    with opened(home) as connection:
        if not _has_table(connection, "entries"):
            return []
        return [
            Live(row[0], FrameKey(*row[1:4]), row[4], Codes(*row[5:])) for row in connection.execute(query)
        ]


def frames_of(home: Path) -> Frames:
    """Return the codes of every live frame; a frame that is there twice is an AssertionError."""
    rows = live_rows(home)
    frames = {row.key: row.codes for row in rows}
    if len(frames) != len(rows):
        raise AssertionError(f"{len(rows)} rows hold {len(frames)} frames")
    return frames


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None
