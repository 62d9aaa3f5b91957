"""Verifying what is stored, row by row, and bringing back what was damaged."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hmar.adapters.memory import InlineQueue
from hmar.errors import HmarError
from hmar.library.index_job import run_job
from hmar.ports import Integrity
from hmar.uploads import UPLOAD
from hmar.values.damage import CheckedEntries, CheckedLog, DamagedRow, SealedTable
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState
from hmar.values.pulls import PACS
from hmar.wiring import Engine, build_engine

PAGE_ENTRIES = 200
SEALED_AT_ONCE = 500
SEAL_PAUSE_S = 0.02
_TAKEN_AT_ONCE = 100
_ITEMS_AT_MOST = 1 << 31
_SOURCES = ("local", "import", PACS, UPLOAD)
"""Where a file can be read again."""

Progress = Callable[[int], None]
"""Told how many rows are done."""


def silent(_rows: int) -> None:
    """Show nothing."""


def audit_entries(
    integrity: Integrity, progress: Progress = silent, stopped: Callable[[], bool] = lambda: False
) -> CheckedEntries:
    """Verify all entries, a page at a time; ends early once ``stopped``, which may take its time, is True."""
    checked = unsealed = last = 0
    damaged: list[int] = []
    while not stopped() and (page := integrity.check_entries(last, PAGE_ENTRIES)) is not None:
        checked, unsealed, last = checked + page.checked, unsealed + page.unsealed, page.last_id
        damaged += page.damaged
        progress(checked)
    return CheckedEntries(checked, last, unsealed, tuple(damaged))


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did.

    Parameters
    ----------
    taken_out : int
        Damaged entries moved to the damaged rows.
    log_rows : int
        Rows of the log written anew.
    sealed : int
        Rows of older versions that got digests.
    back : tuple of DamagedRow
        Frames that were indexed again.
    waiting : tuple of DamagedRow
        Frames that were not: their file is gone or changed, another model made them, or which of the patients
        given with their file is theirs is not known.
    """

    taken_out: int
    log_rows: int
    sealed: int
    back: tuple[DamagedRow, ...]
    waiting: tuple[DamagedRow, ...]


def repair(engine: Engine, entries: CheckedEntries, log: CheckedLog) -> Repaired:
    """Take damaged entries out, mend the log, and index again what was lost, in this process.

    Parameters
    ----------
    engine : Engine
    entries, log
        What was found.
    """
    integrity = engine.storage.integrity
    taken = sum(
        integrity.take_out(entries.damaged[start : start + _TAKEN_AT_ONCE])
        for start in range(0, len(entries.damaged), _TAKEN_AT_ONCE)
    )
    mended = 0 if log.intact else integrity.mend_log()
    sealed = _seal(integrity, "entries") if entries.unsealed else 0
    sealed += _seal(integrity, "log") if log.unsealed else 0
    damaged = integrity.damaged_rows()
    _index_again(engine, damaged)
    waiting = integrity.damaged_rows()
    left = {row.entry_id for row in waiting}
    back = tuple(row for row in damaged if row.entry_id not in left)
    return Repaired(taken, mended, sealed, back, tuple(waiting))


def _seal(integrity: Integrity, table: SealedTable) -> int:
    rows = last = 0
    while (some := integrity.seal(table, last, SEALED_AT_ONCE)) is not None:
        rows, last = rows + some.rows, some.last_id
        time.sleep(SEAL_PAUSE_S)  # other writers go between
    return rows


def _index_again(engine: Engine, damaged: Sequence[DamagedRow]) -> None:
    """Index the files of damaged rows again: in their collection, with their label, for a given patient.

    A job has one patient for a file, so a file of several is in several groups. One of which a row's patient
    is not known is left alone: its frames would take the name of that row.
    """
    unknown = {(row.collection, row.origin) for row in damaged if row.patient_unknown}
    patients_of: defaultdict[tuple[str, Origin], list[str | None]] = defaultdict(list)
    groups: defaultdict[tuple[str, str, str | None, int], list[DamagedRow]] = defaultdict(list)
    for row in damaged:
        file = row.collection, row.origin
        if file in unknown or row.model_fingerprint != engine.encoder.fingerprint:
            continue
        if not _is_there(engine, row.origin):
            continue
        if row.patient_key not in patients_of[file]:
            patients_of[file].append(row.patient_key)
        place = patients_of[file].index(row.patient_key)
        groups[row.collection, row.origin.source, row.label, place].append(row)
    if not groups:
        return
    queue = InlineQueue()
    own = build_engine(engine.settings, engine.encoder, queue)
    try:
        for (collection, source, label, _), rows in groups.items():
            references = sorted({row.origin.reference for row in rows})
            patients = {row.origin.reference: row.patient_key for row in rows if row.patient_key is not None}
            job = run_job(
                own,
                queue,
                collection,
                Origin(source, ""),
                label=label,
                references=references,
                patients=patients,
            )
            done = own.jobs.items(job.job_id, (ItemState.INDEXED, ItemState.UNCHANGED), _ITEMS_AT_MOST)
            _forget(own, rows, {item.origin.reference for item in done})
    finally:
        own.close()


def _forget(engine: Engine, rows: Iterable[DamagedRow], indexed: set[str]) -> None:
    """Forget the rows of files all of whose frames are in the archive now.

    Where a row's own name was damaged, none of them has that name.
    """
    engine.storage.integrity.forget_damaged([row.entry_id for row in rows if row.origin.reference in indexed])


def _is_there(engine: Engine, origin: Origin) -> bool:
    if origin.source not in _SOURCES:
        return False
    try:
        return next(iter(engine.sources[origin.source].list(origin.reference))) is not None
    except (HmarError, StopIteration):
        return False
