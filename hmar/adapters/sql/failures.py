"""What a failing database becomes: an error that says what to do, without values of rows or paths."""

from __future__ import annotations

import sqlite3

from hmar.disk import REMEDY, write_error
from hmar.errors import DiskFullError, OperatorError, UnavailableError

_PG_DISK_FULL = "53100"
_PRIMARY = 0xFF
"""An extended code of SQLite holds the primary one in its low byte."""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SQLITE = {
    sqlite3.SQLITE_BUSY: (
        "The database stayed locked by another process.",
        "Stop what holds it, a backup or another program; nothing is lost meanwhile.",
    ),
    sqlite3.SQLITE_READONLY: (
        "The database cannot be written: it is read-only.",
        "Let HMAR_HOME, or the folder in HMAR_DATABASE_URL, be written by this user.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The database cannot be opened.",
        "Check HMAR_HOME, or the path in HMAR_DATABASE_URL: a file in a folder that this user may write.",
    ),
    sqlite3.SQLITE_IOERR: (
        "The disk of the database cannot be read or written.",
        "Check the disk; restore a backup on another one if it fails.",
    ),
}


class DamagedDatabaseError(UnavailableError):
    """What the file holds cannot be read as a database, or as the text that it should be."""


def damaged() -> DamagedDatabaseError:
    """Return the error for a database whose file is not what was written."""
    return DamagedDatabaseError(
        "The database file is damaged.",
        "Run 'hmar doctor', which says what is; check the disk, and restore the newest backup if need be.",
    )


def operator_error(cause: BaseException | None) -> OperatorError:
    """Return the error for what a database driver or the system raised."""
    if isinstance(cause, OSError):
        return write_error("The database's folder", cause)
    code = getattr(cause, "sqlite_errorcode", None)
    full = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
    if code in full or getattr(cause, "sqlstate", None) == _PG_DISK_FULL:
        return DiskFullError("The database cannot be written: the disk is full.", REMEDY)
    if _is_damage(cause, code):
        return damaged()
    if code is not None and code & _PRIMARY in _SQLITE:
        return UnavailableError(*_SQLITE[code & _PRIMARY])
    return UnavailableError(
        f"The database does not answer as it should ({type(cause).__name__}).",
        "Check HMAR_DATABASE_URL, that the database runs, its disk has room and its schema is migrated.",
    )


def _is_damage(cause: BaseException | None, code: int | None) -> bool:
    if code is None:  # raised by the driver itself, for text that is none
        return isinstance(cause, sqlite3.DatabaseError) and "decode to UTF-8" in str(cause)
    return code & _PRIMARY in _DAMAGE
