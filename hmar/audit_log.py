"""The audit log: who was given whose data, chained by digests under a key that is not in the database.

Each row's digest is an HMAC of the row, its number and the digest before. So who has the database alone
cannot change, insert or remove a row that another follows. That rows are missing at the end is told by a file
beside the database, which holds the last row that this machine has written.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmar.disk import writing
from hmar.errors import ConfigError, OperatorError
from hmar.files import write_file
from hmar.locks import locked
from hmar.ports import AuditStore
from hmar.values.audit import (
    BEGINNING,
    Accessed,
    AuditAnchor,
    AuditMark,
    AuditRecord,
    AuditRow,
    FormerKey,
    WantedAudit,
)
from hmar.values.search_limits import MAX_BATCH_K, MAX_QUERIES

TOUCHED_AT_MOST = 2 * MAX_QUERIES * (MAX_BATCH_K + 1)
"""Hashes kept of one access: patients and studies of all hits and queries of a batch. Of a longer list their
number is kept too."""
PAGE_ROWS = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    Parameters
    ----------
    rows : int
        Rows that are intact, up to the first broken one.
    last_seq : int
        Number of the last intact row.
    fault : str
        What is wrong with the first broken row, empty where all is well.
    """

    rows: int
    last_seq: int
    fault: str


class AuditLog:
    """Appends accesses, and verifies what was appended. Safe between threads and between processes.

    Parameters
    ----------
    store : AuditStore
    secret : bytes
        Keys the digests, and the hashes of UIDs.
    head : Path or None
        File that holds the last row written by this machine. None keeps none.
    written : callable
        Told the rows that were appended, once they are in the store; it must not wait.
    former : sequence of FormerKey
        What ``secret`` was before each rotation, in order. Their rows stay as they were written.
    """

    def __init__(
        self,
        store: AuditStore,
        secret: bytes,
        head: Path | None,
        written: Callable[[Sequence[AuditRow]], None] = lambda _rows: None,
        former: Sequence[FormerKey] = (),
    ) -> None:
        self._store = store
        self._secret = secret
        self._head = head
        self._written = written
        self._former = former

    def append(self, accesses: Sequence[Accessed]) -> None:
        """Append accesses in one transaction, in their order."""
        if not accesses:
            return
        rows: list[AuditRow] = []

        def seal(before: AuditMark, record: AuditRecord) -> str:
            rows.append(AuditRow(before.seq + 1, record, self._digest(before, record)))
            return rows[-1].digest

        last = self._store.append([self._record(one) for one in accesses], seal)
        try:
            self._move_head(last)
        except OperatorError as error:  # the rows are written: nobody may write them again
            _log.error("the end of the audit log was not noted: %s", error)
        self._written(rows)

    def hashed(self, level: str, value: str) -> str:
        """Return what stands in the log for a UID, or for the key that the catalogue has of a patient.

        It is another for each archive, and in nothing else that is stored.
        """
        return _hashed(self._secret, level, value)

    def hashed_ever(self, level: str, values: str | Sequence[str]) -> frozenset[str]:
        """Return all that stands in the log for one thing: a hash under each key that it was sealed with.

        Parameters
        ----------
        level : str
        values : str or sequence of str
            The UID; or the keys that a patient had before the first rotation and after each, in order.
        """
        keys = [*(former.key for former in self._former), self._secret]
        named = [values] * len(keys) if isinstance(values, str) else values
        return frozenset(_hashed(key, level, value) for key, value in zip(keys, named, strict=True))

    def rows(self, since: float = 0.0, touching: Collection[str] | None = None) -> Iterator[AuditRow]:
        """Go through the rows in order of their numbers.

        Parameters
        ----------
        since : float
            Only those from this time on, in seconds since the epoch.
        touching : collection of str, optional
            Only those of accesses to one of these; see :meth:`hashed_ever`.
        """
        after = 0
        while page := self._store.rows(after, PAGE_ROWS):
            yield from (
                row
                for row in page
                if row.record.at >= since
                and (touching is None or any(f'"{one}"' in row.record.touched for one in touching))
            )
            after = page[-1].seq

    def newest(self, wanted: WantedAudit, before_seq: int | None = None, limit: int = 100) -> list[AuditRow]:
        """Return the last rows before a number that are wanted, newest first; None is the end."""
        return self._store.newest(wanted, before_seq, limit)

    def verify(self, progress: Callable[[int], None] = lambda _rows: None) -> Verdict:
        """Verify all rows, the beginning, and the end as far as this machine knows it; told the rows done."""
        head, anchor = self._read_head(), self._store.anchor()
        if anchor is not None and not self._is_proven(anchor):
            return Verdict(0, 0, "The mark where pruned rows ended is not what was written.")
        last, rows = (BEGINNING if anchor is None else anchor.mark), 0
        for row in self.rows():
            if fault := self._fault(last, row):
                return Verdict(rows, last.seq, fault)
            last, rows = AuditMark(row.seq, row.digest), rows + 1
            if rows % PAGE_ROWS == 0:
                progress(rows)
        if head is not None and self._is_lost(head):
            return Verdict(
                rows, last.seq, f"Row {head.seq}, which this machine wrote, is not there any more."
            )
        return Verdict(rows, last.seq, "")

    def prune(self, before: float, access: Accessed) -> int:
        """Remove the rows from before a time, log that, and return how many were removed.

        The first row at or after that time, and all that follow it, stay. The log must have been verified.

        Parameters
        ----------
        before : float
            Seconds since the epoch.
        access : Accessed
            Tells of this.
        """
        last: AuditMark | None = None
        for row in self.rows():
            if row.record.at >= before:
                break
            last = AuditMark(row.seq, row.digest)
        removed = 0 if last is None else self._store.prune(AuditAnchor(last, self._proof(last)))
        self.append([access])
        return removed

    def proven_anchor(self) -> AuditAnchor | None:
        """Return where the log begins, proven by the key of now; the log must have been verified."""
        anchor = self._store.anchor()
        return None if anchor is None else AuditAnchor(anchor.mark, self._proof(anchor.mark))

    def _record(self, one: Accessed) -> AuditRecord:
        kept = sorted(one.touched)[:TOUCHED_AT_MOST]
        touched = json.dumps([self.hashed(level, value) for level, value in kept], separators=(",", ":"))
        at = round(one.at, 3)
        actor, address = one.actor, one.address
        return AuditRecord(
            at, one.operation, one.route, one.scope, actor, one.status, address, touched, len(one.touched)
        )

    def _fault(self, last: AuditMark, row: AuditRow) -> str:
        if row.seq != last.seq + 1:
            return f"Row {last.seq + 1} is missing: row {row.seq} follows row {last.seq}."
        if not hmac.compare_digest(row.digest, self._digest(last, row.record)):
            return f"Row {row.seq} is not what was written."
        return ""

    def _digest(self, last: AuditMark, record: AuditRecord) -> str:
        text = json.dumps([last.digest, last.seq + 1, *record], separators=(",", ":"))
        keys = (former.key for former in self._former if last.seq < former.last_seq)
        return _mac(next(keys, self._secret), "row", text)

    def _is_proven(self, anchor: AuditAnchor) -> bool:
        return hmac.compare_digest(anchor.proof, self._proof(anchor.mark))

    def _proof(self, mark: AuditMark) -> str:
        return _mac(self._secret, "anchor", f"{mark.seq} {mark.digest}")

    def _move_head(self, last: AuditMark) -> None:
        """Note the last row that was written, unless the one noted before is gone: that must stay visible."""
        if self._head is None:
            return
        with writing("HMAR_HOME"), locked(self._head.with_suffix(".lock"), exclusive=True, wait=True):
            before = self._read_head()
            if before is not None and before.seq >= last.seq:
                return
            if before is not None and self._is_lost(before):
                _log.error("row %d of the audit log is gone: run 'hmar audit verify'", before.seq)
                return
            write_file(self._head, json.dumps(last._asdict()), mode=0o600)

    def _is_lost(self, mark: AuditMark) -> bool:
        """Return whether a row that was written is neither there nor pruned.

        Who has the database can put any anchor there, so that only one with its proof counts.
        """
        anchor = self._store.anchor()
        if anchor is not None and mark.seq <= anchor.mark.seq and self._is_proven(anchor):
            return mark.seq == anchor.mark.seq and mark.digest != anchor.mark.digest
        return self._store.digest(mark.seq) != mark.digest

    def _read_head(self) -> AuditMark | None:
        if self._head is None or not self._head.exists():
            return None
        try:
            told = json.loads(self._head.read_text())
            return AuditMark(int(told["seq"]), str(told["digest"]))
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(
                f"The file {self._head.name} is not what was written.", "Restore it, or remove it."
            ) from error


def _hashed(key: bytes, level: str, value: str) -> str:
    return f"{level}:{_mac(key, 'touched', f'{level} {value}')[:32]}"


def _mac(key: bytes, purpose: str, text: str) -> str:
    # A UID that was asked for may be any text, and must not keep others from being recorded.
    message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, hashlib.sha256).hex()
