"""Accesses to patients' data, and the rows of the audit log that tell of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from hmar.values.plain import Json


@dataclass(frozen=True, slots=True)
class Accessed:
    """One access, granted or denied.

    Parameters
    ----------
    at : float
        Seconds since the epoch.
    operation, route : str
        What was asked for: its name, and the rule of its address, without what an address names.
    scope : str
        The scope that it needs.
    actor : str
        Name of the key or login; empty where there was none that is valid.
    status : int
        Of the answer (HTTP); 0 where there is none.
    address : str
        Of the client.
    touched : frozenset of (str, str)
        Levels and UIDs, or keys of patients, that something was given or deleted of.
    """

    at: float
    operation: str
    route: str
    scope: str
    actor: str
    status: int
    address: str
    touched: frozenset[tuple[str, str]] = frozenset()


class AuditRecord(NamedTuple):
    """An access as it is kept: ``touched`` is a JSON list of keyed hashes, ``touched_count`` of how many."""

    at: float
    operation: str
    route: str
    scope: str
    actor: str
    status: int
    address: str
    touched: str
    touched_count: int


class AuditRow(NamedTuple):
    """A row of the log; its digest covers the record, its number, and the digest before."""

    seq: int
    record: AuditRecord
    digest: str

    def to_dict(self) -> Json:
        """Return the row as an export has it."""
        record = self.record
        time = datetime.fromtimestamp(record.at, UTC).isoformat(timespec="milliseconds")
        told = {**record._asdict(), "at": time, "touched": json.loads(record.touched)}
        return {"seq": self.seq, **told, "digest": self.digest}

    def to_listed(self) -> Json:
        """Return the row as the API lists it: of whose data it tells, the number alone."""
        told = self.to_dict()
        return {name: value for name, value in told.items() if name not in ("touched", "digest")}


class WantedAudit(NamedTuple):
    """Which rows are listed: of one operation, and of a span of time in seconds since the epoch."""

    operation: str | None = None
    since: float = 0.0
    until: float = math.inf

    def fits(self, record: AuditRecord) -> bool:
        """Return whether a record is wanted."""
        return self.operation in (None, record.operation) and self.since <= record.at < self.until


class AuditMark(NamedTuple):
    """A place in the log: a row's number and digest."""

    seq: int
    digest: str


class AuditAnchor(NamedTuple):
    """Where a log begins whose older rows were pruned: its last pruned row, and a proof of who pruned."""

    mark: AuditMark
    proof: str


class FormerKey(NamedTuple):
    """A key that the log was sealed with before a rotation, and the last row that it sealed."""

    last_seq: int
    key: bytes


BEGINNING = AuditMark(0, "")
Seal = Callable[[AuditMark, AuditRecord], str]
"""Returns the digest of the record that follows a row."""
