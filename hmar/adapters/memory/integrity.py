"""Integrity of what is kept in memory: there are no files that could be damaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.errors import ConfigError
from hmar.values.audit import AuditAnchor
from hmar.values.damage import CheckedEntries, CheckedLog, DamagedRow, Sealed, SealedTable


class MemoryIntegrity:
    """A :class:`hmar.ports.Integrity` and :class:`hmar.ports.Copyable` that finds everything as it was.

    Parameters
    ----------
    catalogue : MemoryCatalogue
    """

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue
        self._checks: dict[str, str] = {}

    def store_problems(self) -> list[str]:
        """Return none."""
        return []

    def mend_store(self) -> None:
        """Build nothing."""

    def check_entries(self, after_id: int, limit: int) -> CheckedEntries | None:
        """Count the next entries in order of their ids; None after the last."""
        ids = self._catalogue.ids(after_id)[:limit]
        return CheckedEntries(len(ids), ids[-1], 0, ()) if ids else None

    def check_log(self, progress: Callable[[int], None] = lambda _rows: None) -> CheckedLog:
        """Count the rows of the log."""
        rows = self._catalogue.last_seq()
        progress(rows)
        return CheckedLog(rows, 0, 0, 0, (), 0)

    def take_out(self, _entry_ids: Sequence[int]) -> int:
        """Take out nothing: no entry is damaged."""
        return 0

    def damaged_rows(self) -> list[DamagedRow]:
        """Return none."""
        return []

    def forget_damaged(self, _entry_ids: Sequence[int]) -> None:
        """Forget nothing."""

    def mend_log(self) -> int:
        """Mend nothing."""
        return 0

    def seal(self, _table: SealedTable, _after_id: int, _limit: int) -> Sealed | None:
        """Seal nothing: no older version has written anything."""
        return None

    def secret_check(self, name: str) -> str | None:
        """Return the check value of a secret, None before there is one."""
        return self._checks.get(name)

    def keep_secret_check(self, name: str, value: str) -> None:
        """Store the check value of a secret, in place of any other."""
        self._checks[name] = value

    def holds_patient_keys(self) -> bool:
        """Return whether any frame has a key that was made with the patient secret."""
        return self._catalogue.holds_patient_keys()

    def rotate_patients(
        self,
        _step: bytes,
        _check: str,
        _anchor: AuditAnchor | None,
        _progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> int:
        """Refuse: the secret of what is in memory is gone with its process."""
        raise ConfigError(
            "HMAR_DATABASE_URL is memory:, whose secret is drawn for each process.",
            "Leave it unset, or name a database.",
        )

    def revision(self) -> str:
        """Return a revision that no database has."""
        return "memory"

    def copy(self, _target: Path, _progress: Callable[[int, int], None]) -> bool:
        """Refuse: what is in memory is meant to be gone with its process."""
        raise ConfigError(
            "HMAR_DATABASE_URL is memory:, of which there is nothing to back up.",
            "Leave it unset, or name a database.",
        )
