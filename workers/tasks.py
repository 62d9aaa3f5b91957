"""The one task: hand a message to the indexer."""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import get_args, get_type_hints

import celery
import celery.exceptions

from hmar import request_ids
from hmar.adapters.celery_queue import TASK
from hmar.config import Settings
from hmar.errors import DiskFullError, OperatorError
from hmar.indexing.indexer import Indexer
from hmar.indexing.intake import Intake
from hmar.removal import Remover
from hmar.values.jobs import Message
from hmar.wiring import Engine, build_engine

PAUSE_S = 1.0
"""What cannot be done for want of disk or database is tried again after this."""

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

    def intake(self) -> Intake:
        """Return what makes jobs of what was pushed, of the same engine."""
        return self._built().intake

    def _built(self) -> Engine:
        with self._lock:
            if self._engine is None:
                engine = build_engine(self._settings)
                engine.encoders.current()  # a model that cannot be loaded is told now
                self._engine = engine
            return self._engine

    def trace(self, kind: str, seconds: float, failed: bool) -> None:
        """Tell the collector of traces, where there is one, of a message that was handled."""
        tracer = None if self._engine is None else self._engine.tracer
        if tracer is not None:
            noted = {"messaging.operation.name": kind, "hmar.request_id": request_ids.current()}
            tracer.note(f"handle {kind}", "consumer", seconds, noted, failed)

    def close(self) -> None:
        """End the processes that decode."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()


def _rejected(record: logging.LogRecord) -> bool:
    return record.exc_info is not None and record.exc_info[0] is celery.exceptions.Reject


def register(app: celery.Celery, indexer: LazyIndexer) -> None:
    """Add the task ``hmar.handle(kind, target, request_id)`` to an app."""

    def handle(kind: str, target: str, request_id: str = "") -> None:
        begun, failed = time.monotonic(), True
        with request_ids.within(request_id):
            try:
                work(kind, target)
                failed = False
            finally:
                indexer.trace(kind, time.monotonic() - begun, failed)

    def work(kind: str, target: str) -> None:
        if kind not in _KINDS:
            # Another release's message: its rows are in the database, and its own sweep sends it again.
            _log.warning("a message of the unknown kind %r is left alone", kind)
            return
        try:
            indexer.get().handle(Message(kind, target))  # type: ignore[arg-type]
        except OperatorError as error:
            _log.warning("messages wait: %s", error)
            time.sleep(PAUSE_S)
            if isinstance(error, DiskFullError):
                # Nothing was begun: the message goes back. Of other troubles one row may be the cause, which
                # must not keep all others waiting; a sweep sends it again.
                raise celery.exceptions.Reject(error.detail, requeue=True) from None
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            if isinstance(error, Exception):
                raise
            # Celery expects an Exception: anything else would leave the message unanswered and the worker
            # without work for ever. The row in the database is sent again when its lease is over.
            _log.error("a message of the kind %r ended in %s", kind, type(error).__name__)

    # Celery logs each message that goes back with a traceback; once a minute is said why.
    logging.getLogger("celery.app.trace").addFilter(lambda record: not _rejected(record))
    app.task(handle, name=TASK, shared=False)
