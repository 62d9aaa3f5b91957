"""What requests were given is recorded beside them: many rows in one transaction, and none is forgotten."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from hmar.errors import OperatorError, UnavailableError
from hmar.values.audit import Accessed

GATHERED_S = 0.2
"""Accesses of this time are written together: what a process that is killed may lose."""
AGAIN_S = 1.0
MOST_WAITING = 10_000
AT_ONCE = 1000
_log = logging.getLogger("hmar.service.audit")


class Recorder:
    """Hands accesses on to the audit log. Thread-safe.

    From :meth:`start` to :meth:`stop` a thread writes them, and no request waits. Else each is written before
    its request is answered.

    Parameters
    ----------
    append : callable
        Writes accesses; see :meth:`hmar.audit_log.AuditLog.append`.
    """

    def __init__(self, append: Callable[[Sequence[Accessed]], None]) -> None:
        self._append = append
        self._waiting: list[Accessed] = []
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def check_room(self) -> None:
        """Raise UnavailableError where too many accesses wait to be written: nothing is given unrecorded."""
        if len(self._waiting) >= MOST_WAITING:
            raise UnavailableError(
                f"{MOST_WAITING} accesses wait to be written to the audit log.", "Look after the database."
            )

    def record(self, access: Accessed) -> None:
        """Record an access."""
        with self._changed:
            if self._thread is not None:
                self._waiting.append(access)
                self._changed.notify()
                return
        self._append([access])

    def start(self) -> None:
        """Start the thread that writes."""
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread when all is written; what cannot be written is counted in the log."""
        thread = self._thread
        if thread is None:
            return
        self._ending.set()
        with self._changed:
            self._changed.notify()
        thread.join()
        with self._changed:
            self._thread = None
        while self._waiting and self._written():
            pass
        if self._waiting:
            _log.error("%d accesses could not be written to the audit log", len(self._waiting))

    def _run(self) -> None:
        while not self._ending.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending.is_set())
            self._ending.wait(GATHERED_S)
            if self._waiting and not self._written():
                self._ending.wait(AGAIN_S)

    def _written(self) -> bool:
        """Write what has waited longest; return whether that went well. It waits on where it did not."""
        some = self._waiting[:AT_ONCE]
        try:
            self._append(some)
        except OperatorError as error:
            _log.error("the audit log was not written: %s", error)
            return False
        except Exception as error:
            _log.error("the audit log was not written: %s", type(error).__name__)
            return False
        with self._changed:
            del self._waiting[: len(some)]
        return True
