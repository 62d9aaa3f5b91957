"""Verifying all that is stored, in the background, with findings that name no patient."""

from __future__ import annotations

import time
from collections.abc import Callable

from hmar.background import Background, Show, Task
from hmar.config import Settings
from hmar.errors import ConflictError
from hmar.library.integrity import Integrity, finding_of
from hmar.values.findings import Finding
from hmar.values.plain import Json
from hmar.values.verifications import Verification
from hmar.wiring import build_engine


class Verifications:
    """The verifications of an archive. One is made at a time, and the last one is known.

    Parameters
    ----------
    settings : Settings
    clock : callable
        Returns seconds since the epoch.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._background = Background(settings.home / "run", "verification", clock)

    def ask(self) -> Verification:
        """Have everything verified by a worker.

        Raises
        ------
        ConflictError
            While that waits or runs, and where the archive is in memory.
        """
        if self._settings.in_memory:
            raise ConflictError(
                "An archive in memory has stored nothing that could be verified.",
                "Name a data directory (HMAR_HOME).",
            )
        return _told(self._background.ask("verification"))

    def last(self) -> Verification | None:
        """Return the one that was asked for last, None for none."""
        task = None if self._settings.in_memory else self._background.last()
        return None if task is None else _told(task)

    def do_waiting(self) -> bool:
        """Make the verification that waits, if any does; return whether one was made."""
        return not self._settings.in_memory and self._background.do(self._verify)

    def _verify(self, _task: Task, show: Show) -> Json:
        engine = build_engine(self._settings)
        try:
            checks = Integrity(show, names=False).checks()
            findings: list[Json] = []
            for part, check in checks.items():
                show(f"verifying {part}", len(findings), len(checks))
                findings.append(finding_of(part, check, engine).to_dict())
        finally:
            engine.close()
        return {"findings": findings}


def _told(task: Task) -> Verification:
    found = [] if task.result is None else task.result["findings"]
    return Verification(
        task.state,
        task.asked_at,
        task.ended_at,
        task.step,
        tuple(map(Finding.from_dict, found)),
        task.problem,
        task.remedy,
    )
