"""Backups and verifications where there are no workers: a thread of the web server makes them."""

from __future__ import annotations

import threading

from hmar.config import Settings
from hmar.library.upkeep import upkeep_forever


class Upkeep:
    """Makes what waits, if jobs are done in the process that submits them.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._needed = settings.inline and not settings.in_memory
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=upkeep_forever, args=(settings, self._stopped), name="upkeep", daemon=True
        )

    def start(self) -> None:
        """Start the thread, where it is needed."""
        if self._needed:
            self._thread.start()

    def stop(self) -> None:
        """Begin nothing more. What is being made ends with the process, and is swept by the next."""
        self._stopped.set()
