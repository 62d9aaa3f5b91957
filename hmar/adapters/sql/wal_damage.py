"""What was lost with a damaged write-ahead log, kept in a note beside the database until it is dealt with."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from hmar.adapters.sql.wal import lost_commits
from hmar.files import write_file

_LAST = "Index again what was indexed last; repeat the last deletes."
_SHOWN = 20
_log = logging.getLogger(__name__)


class WalDamage:
    """Finds damage that SQLite passes over in silence.

    Parameters
    ----------
    database : Path
        The file of SQLite.
    """

    def __init__(self, database: Path) -> None:
        self._log = database.with_name(f"{database.name}-wal")
        self._shared = database.with_name(f"{database.name}-shm")
        self._note = database.with_name(f"{database.name}-wal-damage")

    def look(self) -> None:
        """Look at the log before SQLite reads it, and overwrites what it cannot use."""
        try:
            found = self._found()
            if not found:
                return
            _log.error("%s Check the disk.", found)
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            write_file(self._note, "\n".join([*self.noted(), f"{now}: {found}"]), mode=0o600)
        except OSError as error:
            _log.warning("the write-ahead log could not be looked at, or noted: %s", error.strerror)

    def noted(self) -> list[str]:
        """Return what was lost, the last times."""
        try:
            return self._note.read_text(errors="replace").splitlines()[-_SHOWN:]
        except FileNotFoundError:
            return []

    def forget(self) -> None:
        """Drop the note."""
        self._note.unlink(missing_ok=True)

    def _found(self) -> str:
        # SQLite makes the log before the memory that is shared, and removes it after that.
        if not self._log.exists() and self._shared.exists() and not self._log.exists():
            return f"The write-ahead log was missing: the last commits may be lost. {_LAST}"
        if lost := lost_commits(self._log):
            return f"The write-ahead log was damaged: at least {lost} commits are lost. {_LAST}"
        return ""
