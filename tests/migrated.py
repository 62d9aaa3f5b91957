"""Databases of SQLite that begin as copies of one which was migrated before."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from hmar.adapters.sql.database import Database

migrate = Database.migrate
"""What the product does."""


def migrating_a_copy(folder: Path) -> Callable[[Database], None]:
    """Return what stands in for :meth:`Database.migrate`: it does the same, to a copy that has all tables.

    Parameters
    ----------
    folder : Path
        Where the database is kept that copies are made of.
    """
    made, making = folder / "migrated.sqlite", threading.Lock()

    def migrate_copy(database: Database) -> None:
        file = database._file
        if file is not None and file.parent.is_dir() and not file.exists():
            with making:
                if not made.exists():
                    with closing(Database(made)) as first:
                        migrate(first)
            _copy(made, file)
        migrate(database)

    return migrate_copy


def _copy(made: Path, file: Path) -> None:
    draft = file.with_name(f".{file.name}.{os.urandom(8).hex()}")
    shutil.copy(made, draft)
    with suppress(FileExistsError):  # another thread was first
        file.hardlink_to(draft)
    draft.unlink()
