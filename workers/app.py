"""The worker process: Celery's consumer, one thread that encodes, one that sweeps.

The pool is ``threads`` with one thread. Celery's default forks after libraries have started threads,
which may dead-lock in the child, and costs the model's memory twice. ``solo`` runs tasks in the consumer's
thread, so that a worker busy with a long multi-frame file answers no ping and looks dead. One thread encodes
as fast as a process (ONNX Runtime releases the interpreter's lock) while the consumer keeps answering. To use
more cores, start more workers.

A worker killed in the middle leaves its item running in the database. The lease on it ends, a sweep sends it
again, and the frames that were committed are skipped.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable
from functools import partial

import celery
import celery.exceptions

from hmar.adapters.celery_queue import QUEUE, CeleryQueue, celery_app
from hmar.clocks import ClockSteps
from hmar.config import Settings
from hmar.errors import ConfigError, OperatorError
from hmar.library.upkeep import upkeep_forever
from hmar.spool import LISTENER
from workers import transport
from workers.audit import audit_forever
from workers.following import follow_forever
from workers.liveness import CHECK_S, Liveness, watch
from workers.tasks import LazyIndexer, register

REMOVING_S = 300.0
"""Pause between two sweeps for files that nobody needs."""
TAKING_S = 1.0
"""Pause between two looks for files that the listener has received."""
LEFT_S = 300.0
"""Received files that are so old were left by a process that was killed."""
_log = logging.getLogger(__name__)


def create_app(settings: Settings, indexer: LazyIndexer) -> celery.Celery:
    """Return the Celery app of a worker; raises ConfigError where no broker is named."""
    settings.check_shared()
    if not settings.redis_url:
        raise ConfigError(
            "HMAR_REDIS_URL is empty.", "Start everything with 'hmar serve', or name a Redis server in it."
        )
    app = celery_app(settings.redis_url, visibility_timeout_s=max(60.0, 2 * settings.item_lease_s))
    app.conf.update(worker_hijack_root_logger=False, worker_redirect_stdouts=False)
    register(app, indexer)
    return app


def sweep_forever(
    sweep: Callable[[], int], interval_s: float, message: str, stopped: threading.Event
) -> None:
    """Call ``sweep`` at once and every ``interval_s`` seconds until ``stopped``.

    ``message`` logs how many it found; an error is logged and tried again.
    """
    while not stopped.is_set():
        try:
            count = sweep()
        except OperatorError as error:
            _log.warning("the sweep waits: %s", error)
        except Exception as error:
            _log.warning("sweep failed: %s", type(error).__name__)
        else:
            if count:
                _log.info(message, count)
        stopped.wait(interval_s)


def run(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT, the file in hand being finished first; return the exit status."""
    transport.install()
    indexer = LazyIndexer(settings)
    app = create_app(settings, indexer)
    # Before the first message, so that a model that cannot be loaded stops the worker and not every item.
    ready = indexer.get()
    # Celery warns root users of pickled messages; ours are JSON.
    warnings.simplefilter("ignore", celery.exceptions.SecurityWarning)
    stopped = threading.Event()
    interval_s = max(1.0, settings.item_lease_s / 4)
    steps = ClockSteps()
    sweepers = [
        threading.Thread(target=sweep_forever, args=(*sweep, stopped), daemon=True)
        for sweep in (
            (
                lambda: ready.sweep(steps.seen()),
                interval_s,
                "sent %d messages again for jobs and files that had stalled",
            ),
            (
                partial(indexer.intake().sweep, LISTENER),
                TAKING_S,
                "took %d files that the listener has received",
            ),
            (
                partial(indexer.intake().sweep, None, LEFT_S),
                LEFT_S,
                "took %d files that killed processes had received",
            ),
            (indexer.remover().sweep, REMOVING_S, "removed %d files that killed processes had left"),
        )
    ]
    for sweeper in sweepers:
        sweeper.start()
    for forever in (audit_forever, upkeep_forever, follow_forever):
        threading.Thread(target=forever, args=(settings, stopped), daemon=True).start()
    liveness = Liveness(ready.pulse, CeleryQueue(settings.redis_url).backlog)
    # A thread that hangs cannot be waited for.
    threading.Thread(target=watch, args=(liveness, CHECK_S, stopped, os._exit), daemon=True).start()
    try:
        worker = app.Worker(
            pool="threads",
            concurrency=1,
            queues=[QUEUE],
            loglevel="WARNING",
            without_gossip=True,
            without_mingle=True,
            quiet=True,
        )
        worker.start()
        # Celery catches what ends it, and returns.
        return int(worker.exitcode or 0)
    finally:
        stopped.set()
        for sweeper in sweepers:
            sweeper.join(timeout=5)
        indexer.close()
