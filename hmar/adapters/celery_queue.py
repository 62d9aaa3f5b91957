"""Messages to workers through Celery on the Redis protocol.

Celery carries a message and nothing more: which job, which file. State, attempts and results live in the
:class:`hmar.ports.JobStore`, so that a broker that loses everything loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import celery
import celery.exceptions
import kombu.exceptions
import redis.exceptions

from hmar import request_ids
from hmar.errors import UnavailableError
from hmar.values.jobs import Message

TASK = "hmar.handle"
QUEUE = "hmar"
PING_TIMEOUT_S = 1.0
CONNECT_TIMEOUT_S = 2.0

BROKER_ERRORS: tuple[type[Exception], ...] = (
    celery.exceptions.BackendError,
    celery.exceptions.CeleryError,
    kombu.exceptions.KombuError,
    kombu.exceptions.HttpError,
    kombu.exceptions.InconsistencyError,
    redis.exceptions.RedisError,
    redis.exceptions.RedisClusterException,
    redis.exceptions.ChildDeadlockedError,
    redis.exceptions.InvalidPipelineStack,
    redis.exceptions.IncorrectPolicyType,
    OSError,
)
"""Everything that the libraries raise when the broker does not take or give a message."""


def celery_app(broker_url: str, visibility_timeout_s: float) -> celery.Celery:
    """Configure Celery; the queue and the worker share this.

    Parameters
    ----------
    broker_url : str
        A ``redis://`` URL.
    visibility_timeout_s : float
        Seconds after which the broker gives an unacknowledged message to another worker. A message that comes
        twice does no harm: its item is leased or done.
    """
    app = celery.Celery("hmar", broker=broker_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_backend=None,
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=CONNECT_TIMEOUT_S,
        broker_transport_options={
            "visibility_timeout": visibility_timeout_s,
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
            "socket_keepalive": True,
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
        },
    )
    return app


class CeleryQueue:
    """A :class:`hmar.ports.JobQueue` on the Redis protocol. Tasks are sent by name.

    Parameters
    ----------
    broker_url : str
        A ``redis://`` URL. Two archives need two databases of it (``/0``, ``/1``).
    """

    def __init__(self, broker_url: str) -> None:
        self._app = celery_app(broker_url, visibility_timeout_s=3600)

    def enqueue(self, messages: Sequence[Message]) -> None:
        """Send messages in order, with the id of the request that they come of.

        Raises UnavailableError if the broker does not take them.
        """
        request_id = request_ids.current()
        with _translated(), self._app.producer_or_acquire() as producer:
            for message in messages:
                args = [message.kind, message.target, *([request_id] if request_id else [])]
                self._app.send_task(TASK, args=args, producer=producer, retry=False)

    def ping(self) -> int:
        """Return the number of workers that answer in time; raises UnavailableError without broker."""
        with _translated(), self._app.connection_for_write() as connection:
            return len(self._app.control.ping(timeout=PING_TIMEOUT_S, connection=connection))

    def backlog(self) -> int:
        """Return how many messages no worker has taken yet; raises UnavailableError without broker."""
        with _translated(), self._app.connection_for_read() as connection:
            channel = connection.default_channel
            try:
                return int(channel.queue_declare(queue=QUEUE, passive=True).message_count)
            except connection.channel_errors:
                # Redis keeps no empty lists: a queue that is not there has no messages.
                return 0


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except BROKER_ERRORS as error:
        raise UnavailableError(
            f"The broker does not answer ({type(error).__name__}).",
            "Start it, or check HMAR_REDIS_URL; nothing is lost meanwhile.",
        ) from error
