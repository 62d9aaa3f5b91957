"""Every stored byte of an archive verified, part by part, by ``hmar doctor`` or for the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hmar.errors import HmarError, first_of
from hmar.index.snapshot import SnapshotStore
from hmar.library.audit import Repaired, audit_entries, repair
from hmar.values.damage import CheckedEntries, CheckedLog, DamagedRow
from hmar.values.findings import Finding, State
from hmar.wiring import Engine

NAMED_AT_MOST = 20
REPAIR = "Run: hmar doctor --repair"
VANISHED = "Of what frames they were is not known; a backup has them."
Found = tuple[State, str, str]
"""How a part is, what was found, and what to do."""
Check = Callable[[Engine], Found]
Show = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""


def finding_of(part: str, check: Check, engine: Engine) -> Finding:
    """Return what a check finds; one that cannot be made has failed."""
    try:
        return Finding(part, *check(engine))
    except HmarError as error:
        return Finding(part, State.FAILED, error.detail, error.remedy)
    except Exception as error:
        return Finding(
            part, State.FAILED, f"Unexpected {type(error).__name__}.", "Report it with this output."
        )


@dataclass(slots=True)
class Integrity:
    """The checks of stored bytes, and what they found for a repair.

    Parameters
    ----------
    show : callable
        Shows progress.
    names : bool
        Whether what is found names UIDs and uploads, and repeats what a database says. Without, it has
        numbers alone.
    """

    show: Show
    names: bool = True
    entries: CheckedEntries = field(default=CheckedEntries(0, 0, 0, ()))
    log: CheckedLog = field(default=CheckedLog(0, 0, 0, 0, (), 0))

    def checks(self) -> dict[str, Check]:
        """Return the checks in their order; the index is looked at after its snapshots."""
        return {
            "database file": self._file,
            "rows": self._rows,
            "log": self._log,
            "damaged rows": self._waiting,
            "uploads": self._uploads,
            "audit log": self._audit_log,
            "snapshots": _snapshots,
        }

    def repair(self, engine: Engine) -> Repaired:
        """Mend what the checks found, and index again what was lost."""
        engine.storage.integrity.mend_store()
        return repair(engine, self.entries, self.log)

    def _file(self, engine: Engine) -> Found:
        if problems := engine.storage.integrity.store_problems():
            found = f"{len(problems)} problems{self._named(problems[0])}"
            return State.FAILED, found, f"{REPAIR}. If it stays: restore the newest backup, check the disk."
        return State.OK, "its own check finds nothing", ""

    def _rows(self, engine: Engine) -> Found:
        expected = engine.catalogue.last_seq()
        self.entries = audit_entries(
            engine.storage.integrity, lambda done: self.show("verifying rows", done, max(done, expected))
        )
        if damaged := self.entries.damaged:
            found = f"{len(damaged)} of {self.entries.checked} are not what was written"
            return State.FAILED, f"{found}: entries {first_of(damaged, NAMED_AT_MOST)}", REPAIR
        return _with_unsealed(f"all {self.entries.checked} are what was written", self.entries.unsealed)

    def _log(self, engine: Engine) -> Found:
        expected = engine.catalogue.last_seq()
        self.log = log = engine.storage.integrity.check_log(
            lambda done: self.show("verifying the log", done, max(done, expected))
        )
        if not log.intact:
            found = (
                f"{log.damaged} rows damaged, {log.lost} lost, {len(log.vanished)} entries vanished, "
                f"{log.unlogged} never logged"
            )
            if log.vanished:
                found += f". Vanished: entries {first_of(log.vanished, NAMED_AT_MOST)}"
                return State.FAILED, found, f"{REPAIR}, then index your folders again. {VANISHED}"
            return State.FAILED, found, REPAIR
        return _with_unsealed(f"all {log.rows} rows are there and what was written", log.unsealed)

    def _uploads(self, engine: Engine) -> Found:
        damaged, count = [], 0
        references = list(engine.uploads.references())
        for count, reference in enumerate(references, start=1):
            if not engine.uploads.check(reference):
                damaged.append(reference)
            self.show("verifying uploads", count, len(references))
        if damaged:
            names = self._named(", ".join(damaged))
            found = f"{len(damaged)} of {count} were damaged and moved to quarantine{names}"
            return State.FAILED, found, "Send these files again. Check the disk."
        return State.OK, f"all {count} are what was sent", ""

    def _waiting(self, engine: Engine) -> Found:
        waiting = engine.storage.integrity.damaged_rows()
        if not waiting:
            return State.OK, "none waits to be indexed again", ""
        found = f"{len(waiting)} were taken out and are not back{self._named(named_frames(waiting))}"
        remedy = waiting_remedy(engine, waiting, "run 'hmar doctor --repair'", self.names)
        return State.FAILED, found, remedy

    def _named(self, names: str) -> str:
        return f": {names}" if self.names else ""

    def _audit_log(self, engine: Engine) -> Found:
        verdict = engine.audit_log.verify(lambda done: self.show("verifying the audit log", done, done))
        if verdict.fault:
            remedy = "Find out who changed the database. A backup may have the rows."
            return State.FAILED, f"{verdict.rows} rows are intact, then: {verdict.fault}", remedy
        return State.OK, f"all {verdict.rows} rows are there and what was written", ""


def _with_unsealed(found: str, unsealed: int) -> Found:
    if unsealed:
        return (
            State.NOTE,
            f"{found}, but {unsealed} of an older version have no digest",
            f"{REPAIR}: it takes them as they are.",
        )
    return State.OK, found, ""


def waiting_remedy(engine: Engine, rows: Sequence[DamagedRow], again: str, names: bool = True) -> str:
    """Return what to do about damaged rows that are not back.

    Those of a model that is not in use are brought back by indexing under it, where their frames are there
    under the one in use. These must not be deleted.

    Parameters
    ----------
    engine : Engine
    rows : sequence of DamagedRow
        At least one.
    again : str
        What to do once their files are back.
    names : bool
        Whether to name frames.
    """
    used = engine.encoder.fingerprint
    others = {one.fingerprint for one in engine.known_models.listed()} - {used}
    of_others = [row for row in rows if row.model_fingerprint in others and _is_there(engine, row)]
    own = [row for row in rows if row not in of_others]
    told = []
    for model in sorted({row.model_fingerprint for row in of_others}):
        its = [row for row in of_others if row.model_fingerprint == model]
        which = named_frames(its) if names else f"{len(its)} frames"
        told.append(
            f"{which}: of the model {model[:12]}, which is not in use. Run: hmar reindex --model "
            f"{model[:12]}. Or remove that model."
        )
    if own:
        told.append(f"Put their files back and {again}, index them from elsewhere, or delete them.")
    return " ".join(told) + (patient_remedy(own) if names else "")


def _is_there(engine: Engine, row: DamagedRow) -> bool:
    """Return whether the frame of a damaged row is there under the model in use."""
    found = engine.catalogue.find(row.sop_instance_uid, engine.encoder.fingerprint, row.collection)
    return any(entry.info.frame_number == row.frame_number for entry in found)


def patient_remedy(rows: Sequence[DamagedRow]) -> str:
    """Return what to do about damaged rows of which the patient is not known; empty where there are none."""
    unknown = [row for row in rows if row.patient_unknown]
    if not unknown:
        return ""
    return (
        f" Not known is which of the patients given with their file is theirs: {named_frames(unknown)}. "
        "Index these files again with 'hmar index --labels', for each of their patients, or for none."
    )


def named_frames(rows: Sequence[DamagedRow]) -> str:
    """Return the instances and frames of damaged rows, the first of them."""
    return first_of([f"{row.sop_instance_uid} frame {row.frame_number}" for row in rows], NAMED_AT_MOST)


def _snapshots(engine: Engine) -> Found:
    store = SnapshotStore(engine.settings.index_root, engine.encoder.fingerprint)
    intact, damaged = store.check_all()
    if damaged:
        found = f"{', '.join(damaged)} was damaged and moved to quarantine"
        return State.FAILED, found, "Nothing is lost: the index is built from the log. Check the disk."
    return State.OK, f"{intact} verified", ""
