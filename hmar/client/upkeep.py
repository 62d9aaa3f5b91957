"""Backups and verifications of a server's archive."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from hmar.client.api import Api, read
from hmar.errors import BackupError, UnavailableError
from hmar.values.background import Step
from hmar.values.backups import BackupInfo
from hmar.values.verifications import Verification

BACKUPS = "/api/v1/archive/backups"
VERIFICATIONS = "/api/v1/archive/verifications"
LOOK_S = 1.0
"""Pause between two looks at what a worker does."""
STALLED_S = 300.0
T = TypeVar("T", BackupInfo, Verification)
Progress = Callable[[Step], object]


def silent(_step: Step) -> None:
    """Show nothing."""


class ClientUpkeep:
    """Looking after what a server has stored, for a key with the scope admin. :class:`hmar.Client` has it.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def backups(self) -> list[BackupInfo]:
        """List the backups that the server keeps, newest first."""
        answer = self._api.get(BACKUPS)
        return read(answer, lambda told: [BackupInfo.from_dict(one) for one in told["backups"]])

    def back_up(
        self, progress: Progress = silent, *, look_s: float = LOOK_S, stalled_s: float = STALLED_S
    ) -> BackupInfo:
        """Have a backup made in a folder of the server, and return it once every byte was read again.

        It is asked for once: if the answer does not come, list the backups.

        Parameters
        ----------
        progress : callable, optional
            Told what is done at each look.
        look_s : float
            Pause between two looks, in seconds.
        stalled_s : float
            Seconds to wait for a worker that begins.

        Raises
        ------
        ConflictError
            If one waits or runs already, or the server has no room for it.
        BackupError
            If it came to nothing.
        UnavailableError
            If no worker begins.
        """
        asked = read(self._api.post(BACKUPS, repeatable=False), BackupInfo.from_dict)

        def look() -> BackupInfo | None:
            return next((one for one in self.backups() if one.name == asked.name), None)

        made = _awaited(look, progress, look_s, stalled_s)
        if made.problem is not None:
            raise BackupError(made.problem, made.remedy or "")
        return made

    def verify(
        self, progress: Progress = silent, *, look_s: float = LOOK_S, stalled_s: float = STALLED_S
    ) -> Verification:
        """Have every stored byte verified, and return what was found, part by part.

        Parameters are those of :meth:`back_up`.

        Raises
        ------
        ConflictError
            If that waits or runs already.
        UnavailableError
            If no worker begins, or it could not be ended.
        """
        self._api.post(VERIFICATIONS, repeatable=False)
        done = _awaited(self.last_verification, progress, look_s, stalled_s)
        if done.problem is not None:
            raise UnavailableError(done.problem, done.remedy or "")
        return done

    def last_verification(self) -> Verification | None:
        """Return the verification that was asked for last, ended or not; None for none."""
        told = read(self._api.get(VERIFICATIONS), lambda answer: answer["verification"])
        return None if told is None else Verification.from_dict(told)


def _awaited(look: Callable[[], T | None], progress: Progress, look_s: float, stalled_s: float) -> T:
    """Look until what was asked for has ended."""
    until = time.monotonic() + stalled_s
    while True:
        found = look()
        if found is None:
            raise UnavailableError("The server does not know what it was asked for any more.", "Ask again.")
        if found.ended:
            return found
        if found.state == "waiting" and time.monotonic() > until:
            raise UnavailableError(
                "No worker has begun what was asked for.", "Start one on the server; it begins with it then."
            )
        if found.progress is not None:
            progress(found.progress)
        time.sleep(look_s)
