"""Following PACS where there are no workers: a thread of the web server does it."""

from __future__ import annotations

import threading

from hmar.library.watching import watch_forever
from hmar.wiring import Engine


class Watching:
    """Watches the PACS that are followed, if jobs are done in the process that submits them.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self._needed = engine.settings.inline
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=watch_forever, args=(engine, self._stopped), name="watching", daemon=True
        )

    def start(self) -> None:
        """Start the thread, where it is needed."""
        if self._needed:
            self._thread.start()

    def stop(self) -> None:
        """Begin nothing more. What is under way is told again after the next start."""
        self._stopped.set()
