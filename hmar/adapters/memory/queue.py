"""A job queue that does the work itself."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from hmar.ports import Handler
from hmar.values.jobs import Message


class InlineQueue:
    """A :class:`hmar.ports.JobQueue` that handles each message before ``enqueue`` returns.

    Messages sent while another is handled wait their turn: handlers never run inside one another. What a
    handler raises comes out of ``enqueue``, and the messages behind it wait for the next call. Without a
    handler all messages wait.

    Parameters
    ----------
    handler : callable or None
        Takes one message; may be set later through the attribute of this name.
    """

    def __init__(self, handler: Handler | None = None) -> None:
        self.handler = handler
        self._lock = threading.Lock()
        self._waiting: deque[Message] = deque()
        self._busy = False

    @property
    def waiting(self) -> list[Message]:
        """The messages not handled yet, in order."""
        with self._lock:
            return list(self._waiting)

    def enqueue(self, messages: Sequence[Message]) -> None:
        """Handle messages in order; returns at once when called from within a handler."""
        with self._lock:
            self._waiting.extend(messages)
            if self._busy or self.handler is None:
                return
            self._busy = True
        self._drain(self.handler)

    def _drain(self, handler: Handler) -> None:
        try:
            while (message := self._next()) is not None:
                handler(message)
        except BaseException:
            with self._lock:
                self._busy = False
            raise

    def _next(self) -> Message | None:
        """Take a message, or stop being busy: one step, so that none is left behind."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._busy = False
            return None

    def ping(self) -> int:
        """Return 1 if there is a handler, else 0."""
        return 0 if self.handler is None else 1

    def backlog(self) -> int:
        """Return the number of messages not handled yet."""
        return len(self.waiting)
