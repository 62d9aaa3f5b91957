"""The rows of the audit log in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from hmar.values.audit import BEGINNING, AuditAnchor, AuditMark, AuditRecord, AuditRow, Seal, WantedAudit


class MemoryAuditStore:
    """A :class:`hmar.ports.AuditStore` that lives as long as the process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: list[AuditRow] = []
        self._anchor: AuditAnchor | None = None

    def append(self, records: Sequence[AuditRecord], seal: Seal) -> AuditMark:
        """Append records at once; return the last row."""
        with self._lock:
            last = self._last()
            for record in records:
                last = AuditMark(last.seq + 1, seal(last, record))
                self._rows.append(AuditRow(last.seq, record, last.digest))
        return last

    def rows(self, after_seq: int, limit: int) -> list[AuditRow]:
        """Return the next rows in order of their numbers."""
        with self._lock:
            return [row for row in self._rows if row.seq > after_seq][:limit]

    def newest(self, wanted: WantedAudit, before_seq: int | None, limit: int) -> list[AuditRow]:
        """Return the last rows before a number that are wanted, newest first."""
        with self._lock:
            earlier = [row for row in self._rows if before_seq is None or row.seq < before_seq]
        return [row for row in reversed(earlier) if wanted.fits(row.record)][:limit]

    def digest(self, seq: int) -> str | None:
        """Return the digest of a row, None where there is none."""
        with self._lock:
            return next((row.digest for row in self._rows if row.seq == seq), None)

    def anchor(self) -> AuditAnchor | None:
        """Return where the log begins, None where nothing was pruned."""
        with self._lock:
            return self._anchor

    def prune(self, anchor: AuditAnchor) -> int:
        """Remove the rows up to an anchor, which takes their place; return how many."""
        with self._lock:
            if self._anchor is not None and self._anchor.mark.seq >= anchor.mark.seq:
                return 0
            kept = [row for row in self._rows if row.seq > anchor.mark.seq]
            removed, self._rows, self._anchor = len(self._rows) - len(kept), kept, anchor
        return removed

    def _last(self) -> AuditMark:
        if self._rows:
            return AuditMark(self._rows[-1].seq, self._rows[-1].digest)
        return BEGINNING if self._anchor is None else self._anchor.mark
