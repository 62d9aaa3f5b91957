"""Work that is done again and again beside the requests, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hmar.errors import OperatorError

_log = logging.getLogger("hmar.service.periodic")


class Periodic:
    """Calls something every so often, and once more at the end. A call that fails is logged.

    Parameters
    ----------
    name : str
        What the thread does, for the log.
    call : callable
    every_s : float
        Pause between two calls, in seconds.
    """

    def __init__(self, name: str, call: Callable[[], object], every_s: float) -> None:
        self._name = name
        self._call = call
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after a last call."""
        self._ended.set()
        self._thread.join()
        self._try()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            self._try()

    def _try(self) -> None:
        try:
            self._call()
        except OperatorError as error:
            _log.error("%s failed: %s", self._name, error)
        except Exception as error:
            _log.error("%s failed: %s", self._name, type(error).__name__)
