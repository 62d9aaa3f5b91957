"""Rows of the audit log go to a syslog receiver beside the requests; what has no room is dropped and counted.

The database's chain is the truth: a receiver that was away for long lacks rows, and their numbers tell which.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from hmar.audit_feed.messages import messages_of, outcome_of
from hmar.audit_feed.senders import Sender
from hmar.audit_feed.syslog import syslog_message
from hmar.syslog_receiver import SyslogReceiver
from hmar.values.audit import AuditRow

MOST_WAITING = 10_000
AGAIN_S = 5.0
"""Pause before the receiver is tried again."""
TOLD_EVERY_S = 60.0
"""Dropped rows are logged no more often."""
LAST_S = 3.0
"""How long the end waits for rows to be sent."""
_log = logging.getLogger(__name__)


class FeedFigures(NamedTuple):
    """Rows since the start: sent, dropped, and those that wait now."""

    sent: int
    dropped: int
    waiting: int


class AuditFeed:
    """Sends rows from a bounded queue, in a thread that starts with the first. Thread-safe.

    Parameters
    ----------
    receiver : SyslogReceiver
        For the log.
    sender : Sender
    clock : callable
        Returns seconds that only grow.
    most : int
        Rows that may wait.
    """

    def __init__(
        self,
        receiver: SyslogReceiver,
        sender: Sender,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_WAITING,
    ) -> None:
        self._receiver = receiver
        self._sender = sender
        self._clock = clock
        self._most = most
        self._waiting: deque[AuditRow] = deque()
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._sent = self._dropped = self._untold = 0
        self._told_at = float("-inf")
        self._away = False

    def offer(self, rows: Sequence[AuditRow]) -> None:
        """Have rows sent, as far as there is room for them; nobody waits. After the end there is none."""
        with self._changed:
            room = 0 if self._ending.is_set() else max(0, self._most - len(self._waiting))
            self._waiting.extend(rows[:room])
            self._drop(len(rows[room:]))
            if self._thread is None:
                self._thread = self._started()
            self._changed.notify()

    def figures(self) -> FeedFigures:
        """Return what became of the rows so far."""
        with self._changed:
            return FeedFigures(self._sent, self._dropped, len(self._waiting))

    def close(self) -> None:
        """Send what waits, for a few seconds; the rest is dropped and counted in the log."""
        thread = self._thread
        if thread is None:
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting or self._away, LAST_S)
            self._ending.set()
            self._changed.notify_all()
        thread.join(LAST_S)
        with self._changed:
            self._drop(len(self._waiting))
            self._waiting.clear()
        if self._untold:
            _log.error("%d rows of the audit log were not sent to %s", self._untold, self._receiver)

    def _started(self) -> threading.Thread | None:
        thread = threading.Thread(target=self._run, name="audit feed", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left; the next row tries again
            return None
        return thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending.is_set())
                if self._ending.is_set():
                    break
                row = self._waiting[0]
            if self._delivered(row):
                with self._changed:
                    if self._waiting:  # the end has not waited for it, and counts it as dropped
                        self._waiting.popleft()
                    self._changed.notify_all()
            else:
                self._ending.wait(AGAIN_S)
        self._sender.close()

    def _delivered(self, row: AuditRow) -> bool:
        """Send a row; return whether it is done with. One that waits on is sent again as a whole."""
        try:
            for message in messages_of(row):
                self._sender.send(syslog_message(row.record.at, outcome_of(row.record), message))
        except OSError as error:
            self._sender.close()
            self._note_away(type(error).__name__)
            return False
        except Exception as error:
            _log.error("row %d of the audit log makes no message: %s", row.seq, type(error).__name__)
            with self._changed:
                self._drop(1)
            return True
        with self._changed:
            self._sent += 1
            if self._away:
                _log.warning("%s takes the audit log again", self._receiver)
            self._away = False
        return True

    def _note_away(self, why: str) -> None:
        with self._changed:
            if not self._away:
                _log.error("%s does not take the audit log (%s); rows wait", self._receiver, why)
            self._away = True
            self._changed.notify_all()

    def _drop(self, rows: int) -> None:
        """Count rows that are not sent, and tell now and then; the lock is held."""
        self._dropped += rows
        self._untold += rows
        if self._untold and self._clock() - self._told_at >= TOLD_EVERY_S:
            _log.error(
                "%d rows of the audit log were not sent to %s: %d wait already",
                self._untold,
                self._receiver,
                len(self._waiting),
            )
            self._told_at, self._untold = self._clock(), 0
