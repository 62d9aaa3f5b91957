"""kombu's transports on the Redis protocol, which hand on nothing that the worker cannot read.

By themselves they raise whatever their reader of JSON raises, and with it the worker ends: one message of
another program would keep it from its work. What cannot be read is dropped; it can be no message of ours, and
if it was one, a sweep sends it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import Empty
from typing import Any

import kombu.transport
import redis.exceptions
from kombu.transport import redis as kombu_redis

from hmar.adapters.celery_queue import QUEUE
from workers.messages import envelope, is_ping, task_of

_DROPPED = "A message on the broker is none of HMAR's; it was dropped. Give HMAR a broker of its own."
_log = logging.getLogger(__name__)


class _Reading:
    """Of a channel: drops what is no JSON."""

    def _brpop_read(self, **options: Any) -> Any:
        return self._read(super()._brpop_read, **options)  # type: ignore[misc]

    def _receive_one(self, client: Any) -> Any:
        try:
            return self._read(super()._receive_one, client)  # type: ignore[misc]
        except Empty:
            # More may be there already, which the caller reads only then.
            return None

    def _read(self, read: Callable[..., Any], *args: Any, **options: Any) -> Any:
        transport = self.connection  # type: ignore[attr-defined]
        transport.handing_on = False
        try:
            return read(*args, **options)
        except (Empty, OSError, redis.exceptions.RedisError):
            raise
        except Exception:
            if transport.handing_on:
                raise
            _drop()
            raise Empty from None


class _HandingOn:
    """Of a transport: drops what is no message of ours."""

    handing_on = False
    """Whether a message was read, so that what is raised is no fault of it."""

    def _deliver(self, raw: object, queue: str) -> None:
        self.handing_on = True
        if queue != QUEUE:
            if not is_ping(raw):
                return _drop()
        elif (task := task_of(raw)) is not None:
            raw = envelope(*task)
        else:
            return _drop()
        super()._deliver(raw, queue)  # type: ignore[misc]
        return None


class Channel(_Reading, kombu_redis.Channel):
    """A channel of one server."""


class Transport(_HandingOn, kombu_redis.Transport):
    """Connections to one server."""

    Channel = Channel


class SentinelChannel(_Reading, kombu_redis.SentinelChannel):
    """A channel of the server that sentinels name."""


class SentinelTransport(_HandingOn, kombu_redis.SentinelTransport):
    """Connections to the server that sentinels name."""

    Channel = SentinelChannel


def install() -> None:
    """Let this process use these transports in place of kombu's, for all URLs that name one of them."""
    kombu.transport.TRANSPORT_ALIASES.update(
        redis=f"{__name__}:Transport",
        rediss=f"{__name__}:Transport",
        sentinel=f"{__name__}:SentinelTransport",
    )
    logging.getLogger(kombu_redis.__name__).addFilter(_without_contents)


def _drop() -> None:
    _log.warning(_DROPPED)


def _without_contents(record: logging.LogRecord) -> bool:
    """Say in kombu's line on what is no JSON nothing of what it holds."""
    if record.exc_info and "Cannot process event" in str(record.msg):
        record.msg, record.args, record.exc_info = _DROPPED, (), None
    return True
