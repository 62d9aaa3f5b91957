"""Work that is done again and again beside the requests, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hmar.errors import OperatorError

_log = logging.getLogger("hmar.service.periodic")


class Periodic:
    """Calls something every so often, and once more at the end where that is wanted.

    A call that fails is logged.

    Parameters
    ----------
    name : str
        What the thread does, for the log.
    call : callable
    every_s : float
        Pause between two calls, in seconds.
    last : bool
        Whether to call once more at the end.
    """

    def __init__(self, name: str, call: Callable[[], object], every_s: float, last: bool = True) -> None:
        self._name = name
        self._call = call
        self._every_s = every_s
        self._last = last
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after a last call where there is to be one."""
        self._ended.set()
        self._thread.join()
        if self._last:
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
