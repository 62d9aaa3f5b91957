"""The background audit of a worker: once a day every row is verified, slowly, and damage is mended."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from hmar.config import Settings
from hmar.errors import first_of
from hmar.files import write_file
from hmar.library.audit import Repaired, audit_entries, repair
from hmar.locks import locked
from hmar.wiring import build_engine

FIRST_S = 60.0
"""A worker that has just started has more urgent work."""
LOOK_S = 3600.0
EVERY_S = 24 * 3600.0
PAGE_PAUSE_S = 0.2
"""Pause after each page of 200 rows: at most 1000 rows a second, a few per cent of one core."""
NAMED_AT_ONCE = 10

_log = logging.getLogger(__name__)


def audit_forever(settings: Settings, stopped: threading.Event) -> None:
    """Audit whenever the last audit here is a day old; an error is logged and tried again."""
    wait_s = FIRST_S
    while not stopped.wait(wait_s):
        wait_s = LOOK_S
        try:
            audit_if_due(settings, stopped)
        except Exception as error:
            _log.warning("the audit failed: %s", type(error).__name__)


def audit_if_due(
    settings: Settings, stopped: threading.Event, pause_s: float = PAGE_PAUSE_S
) -> Repaired | None:
    """Audit and repair, unless that was done lately or another worker does it; None with nothing to mend."""
    folder = settings.home / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(folder / "audit.lock", exclusive=True, wait=False) as held:
        if not held or not _is_due(folder / "audited"):
            return None
        repaired = _audit(settings, stopped, pause_s)
        if not stopped.is_set():
            write_file(folder / "audited", b"", mode=0o600)
        return repaired


def _audit(settings: Settings, stopped: threading.Event, pause_s: float) -> Repaired | None:
    engine = build_engine(settings)
    try:
        integrity = engine.storage.integrity
        entries = audit_entries(integrity, stopped=lambda: stopped.wait(pause_s))
        log = integrity.check_log()
        if stopped.is_set() or not (entries.damaged or not log.intact or entries.unsealed or log.unsealed):
            return None
        repaired = repair(engine, entries, log)
    finally:
        engine.close()
    if entries.damaged or not log.intact:
        _log.error(
            "The audit found %d damaged entries (%s), taken out, and %d vanished ones (%s); %d rows of the "
            "log were written anew. %d frames were indexed again, %d wait: run 'hmar doctor'.",
            len(entries.damaged),
            first_of(entries.damaged, NAMED_AT_ONCE),
            len(log.vanished),
            first_of(log.vanished, NAMED_AT_ONCE),
            repaired.log_rows,
            len(repaired.back),
            len(repaired.waiting),
        )
    return repaired


def _is_due(mark: Path) -> bool:
    try:
        age_s = time.time() - mark.stat().st_mtime
    except FileNotFoundError:
        return True
    return not 0 <= age_s < EVERY_S  # a clock that was set back must not stop audits
