"""One scenario, every job queue: messages wait until they are handled, and are handled once, in order."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Protocol

import celery.exceptions
import kombu.exceptions
import pytest
import redis
import redis.exceptions

from hmar import request_ids
from hmar.adapters.celery_queue import BROKER_ERRORS, QUEUE, TASK, CeleryQueue, celery_app
from hmar.adapters.embedded_broker import free_port
from hmar.adapters.memory import InlineQueue
from hmar.errors import UnavailableError
from hmar.ports import JobQueue
from hmar.values.jobs import Message
from tests.broker import running_broker
from workers.messages import task_of

MESSAGES = [Message("expand", "j1"), Message("item", "1"), Message("item", "2")]


class Rig(Protocol):
    """A queue and a way to have its messages handled."""

    queue: JobQueue

    def handled(self, count: int) -> list[Message]:
        """Let a worker handle ``count`` messages and return them."""


class MemoryRig:
    def __init__(self) -> None:
        self.queue = InlineQueue()

    def handled(self, count: int) -> list[Message]:
        seen: list[Message] = []
        self.queue.handler = seen.append
        self.queue.enqueue([])
        return seen


class CeleryRig:
    def __init__(self, url: str) -> None:
        self._url = url
        self.queue = CeleryQueue(url)

    def handled(self, count: int) -> list[Message]:
        app = celery_app(self._url, visibility_timeout_s=60)
        seen: list[Message] = []
        with app.connection_for_read() as connection:
            consumer = connection.SimpleQueue(QUEUE)
            while len(seen) < count:
                message = consumer.get(timeout=10)
                seen.append(Message(*message.payload[0]))
                message.ack()
            consumer.close()
        return seen


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with running_broker() as url:
        yield url


@pytest.fixture(params=["memory", "celery"])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "memory":
        return MemoryRig()
    url = request.getfixturevalue("broker_url")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return CeleryRig(url)


@pytest.mark.slow
def test_a_fresh_queue_is_empty_and_has_no_worker(rig: Rig) -> None:
    assert rig.queue.backlog() == 0
    assert rig.queue.ping() == 0


def test_messages_wait_and_are_handled_once_in_order(rig: Rig) -> None:
    rig.queue.enqueue(MESSAGES[:1])
    rig.queue.enqueue(MESSAGES[1:])
    assert rig.queue.backlog() == 3
    assert rig.handled(3) == MESSAGES
    assert rig.queue.backlog() == 0


def test_nothing_sent_is_nothing_waiting(rig: Rig) -> None:
    rig.queue.enqueue([])
    assert rig.queue.backlog() == 0


def test_a_message_on_the_wire_is_plain_json_without_patient_data(broker_url: str) -> None:
    with redis.Redis.from_url(broker_url) as client:
        client.flushall()
        CeleryQueue(broker_url).enqueue([Message("item", "7")])
        [raw] = client.lrange(QUEUE, 0, -1)
    envelope = json.loads(raw)
    assert envelope["content-type"] == "application/json"
    assert envelope["headers"]["task"] == TASK


def test_a_message_of_a_request_carries_its_id_which_the_worker_reads(broker_url: str) -> None:
    with redis.Redis.from_url(broker_url) as client:
        client.flushall()
        with request_ids.within("ward-7"):
            CeleryQueue(broker_url).enqueue([Message("item", "7")])
        CeleryQueue(broker_url).enqueue([Message("item", "8")])
        sent = [json.loads(raw) for raw in client.lrange(QUEUE, 0, -1)]
    assert {task_of(raw) for raw in sent} == {("item", "7", "ward-7"), ("item", "8", "")}


@pytest.mark.parametrize("call", ["enqueue", "ping", "backlog"])
def test_a_broker_that_is_down_is_unavailable(call: str) -> None:
    queue = CeleryQueue(f"redis://127.0.0.1:{free_port('127.0.0.1')}/0")
    with pytest.raises(UnavailableError, match="broker"):
        queue.enqueue(MESSAGES) if call == "enqueue" else getattr(queue, call)()


@pytest.mark.parametrize("call", ["enqueue", "ping", "backlog"])
def test_a_wrong_password_is_unavailable_and_not_told(call: str, broker_url: str) -> None:
    host = broker_url.rsplit("@", 1)[1]
    queue = CeleryQueue(f"redis://:hunter2@{host}")
    with pytest.raises(UnavailableError) as caught:
        queue.enqueue(MESSAGES) if call == "enqueue" else getattr(queue, call)()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("module", [kombu.exceptions, redis.exceptions, celery.exceptions])
def test_every_error_of_the_vendors_is_translated(module: ModuleType) -> None:
    own = [
        error
        for _, error in inspect.getmembers(module, inspect.isclass)
        if issubclass(error, Exception)
        and not issubclass(error, (Warning, celery.exceptions.CeleryCommandException))
        and error.__module__.split(".")[0] == module.__name__.split(".")[0]
    ]
    assert own
    assert [error.__name__ for error in own if not issubclass(error, BROKER_ERRORS)] == []
