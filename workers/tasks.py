"""The one task: hand a message to the indexer."""

from __future__ import annotations

import logging
from threading import Lock
from typing import get_args, get_type_hints

import celery

from hmar.adapters.celery_queue import TASK
from hmar.config import Settings
from hmar.indexing import Indexer
from hmar.values.jobs import Message
from hmar.wiring import build_engine

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
        self._indexer: Indexer | None = None

    def get(self) -> Indexer:
        """Return the indexer; raises OperatorError if a part of it cannot be built."""
        with self._lock:
            if self._indexer is None:
                self._indexer = build_engine(self._settings).indexer
            return self._indexer


def register(app: celery.Celery, indexer: LazyIndexer) -> None:
    """Add the task ``hmar.handle(kind, target)`` to an app."""

    def handle(kind: str, target: str) -> None:
        if kind not in _KINDS:
            # Another release's message: its rows are in the database, and its own sweep sends it again.
            _log.warning("a message of the unknown kind %r is left alone", kind)
            return
        indexer.get().handle(Message(kind, target))  # type: ignore[arg-type]

    app.task(handle, name=TASK, shared=False)
