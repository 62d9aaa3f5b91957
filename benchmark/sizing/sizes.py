"""What the tables and indexes of a SQLite file take."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def table_bytes(file: Path) -> dict[str, int]:
    """Return the bytes of the pages of every table and index, largest first, without pages that are free."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC, 1")
        return {str(name): int(size) for name, size in rows}
