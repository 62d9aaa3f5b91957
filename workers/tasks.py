"""The one task: hand a message to the indexer."""

from __future__ import annotations

import logging
from threading import Lock
from typing import get_args, get_type_hints

import celery

from hmar.adapters.celery_queue import TASK
from hmar.config import Settings
from hmar.indexing import Indexer
from hmar.removal import Remover
from hmar.values.jobs import Message
from hmar.wiring import Engine, build_engine

_KINDS = get_args(get_type_hints(Message)["kind"])
_log = logging.getLogger(__name__)


class LazyIndexer:
    """The indexer of this process, built when it is first asked for. Thread-safe.

    Parameters
    ----------
    settings : Settings
        Names the database, the model and the broker.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._engine: Engine | None = None

    def get(self) -> Indexer:
        """Return the indexer; raises OperatorError if a part of it cannot be built."""
        return self._built().indexer

    def remover(self) -> Remover:
        """Return what removes, of the same engine."""
        return self._built().remover

    def _built(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = build_engine(self._settings)
            return self._engine

    def close(self) -> None:
        """End the processes that decode."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()


def register(app: celery.Celery, indexer: LazyIndexer) -> None:
    """Add the task ``hmar.handle(kind, target)`` to an app."""

    def handle(kind: str, target: str) -> None:
        if kind not in _KINDS:
            # Another release's message: its rows are in the database, and its own sweep sends it again.
            _log.warning("a message of the unknown kind %r is left alone", kind)
            return
        try:
            indexer.get().handle(Message(kind, target))  # type: ignore[arg-type]
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            if isinstance(error, Exception):
                raise
            # Celery expects an Exception: anything else would leave the message unanswered and the worker
            # without work for ever. The row in the database is sent again when its lease is over.
            _log.error("a message of the kind %r ended in %s", kind, type(error).__name__)

    app.task(handle, name=TASK, shared=False)
