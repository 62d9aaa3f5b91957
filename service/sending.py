"""The thread that sends what webhooks wait for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hmar.errors import OperatorError

LOOK_S = 1.0
"""Pause between two looks where nothing is left to send."""
_END_S = 1.0
_log = logging.getLogger("hmar.service.webhooks")


class Sending:
    """Sends from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    send : callable
        Sends what is due, unless it is told to stop; returns whether more may follow at once. See
        :meth:`hmar.webhooks.sending.WebhookSender.send_due`.
    """

    def __init__(self, send: Callable[[Callable[[], bool]], bool]) -> None:
        self._send = send
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no delivery any more. One that a receiver keeps waiting is not waited for: it comes again."""
        self._ended.set()
        self._thread.join(_END_S)

    def _run(self) -> None:
        while not self._ended.is_set():
            if not self._sent():
                self._ended.wait(LOOK_S)

    def _sent(self) -> bool:
        try:
            return self._send(self._ended.is_set)
        except OperatorError as error:
            _log.error("webhooks were not sent: %s", error)
        except Exception as error:
            if not self._ended.is_set():  # at the end, the database is closed under a delivery
                _log.error("webhooks were not sent: %s", type(error).__name__)
        return False
