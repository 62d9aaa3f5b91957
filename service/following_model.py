"""A web server moves to another model while it serves: its index is built beside the one that answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from hmar.errors import OperatorError
from hmar.serving import Serving
from hmar.wiring import Engine
from service.refresh import Refresher

LOOKED_EVERY_S = 1.0
AGAIN_AFTER_S = 30.0
"""A model that cannot be loaded is tried again after this."""
_log = logging.getLogger("hmar.service.model")


class ModelFollower:
    """Looks which model the archive uses, takes it up, and keeps the index of that one fresh.

    Parameters
    ----------
    engine : Engine
    new_refresher : callable
        Returns what keeps the index of a model up to date, not started yet.
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(
        self,
        engine: Engine,
        new_refresher: Callable[[Serving], Refresher],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._new_refresher = new_refresher
        self._clock = clock
        self._refresher = new_refresher(engine.serving)
        self._not_before = clock()

    def start(self) -> None:
        """Begin to keep the index up to date."""
        self._refresher.start()

    def stop(self) -> None:
        """End that, with a last snapshot."""
        self._refresher.stop()

    def look(self) -> None:
        """Take up the model in use, if it is another by now, and remove the snapshots of the one before."""
        if self._clock() < self._not_before:
            return
        try:
            taken = self._engine.follow()
        except OperatorError as error:
            self._not_before = self._clock() + AGAIN_AFTER_S
            _log.error("the model before goes on answering: %s", error)
            return
        if taken is None:
            return
        _log.info("searches use the model %s (%s)", taken.encoder.name, taken.encoder.fingerprint[:12])
        before, self._refresher = self._refresher, self._new_refresher(taken)
        self._refresher.start()
        before.abandon()
        self._engine.drop_other_snapshots()
