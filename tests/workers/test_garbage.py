"""Whatever lies on the broker: the worker drops what is not ours, and what is ours is done."""

from __future__ import annotations

import json
import signal
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from hmar.adapters.celery_queue import QUEUE, TASK, CeleryQueue, celery_app
from hmar.indexing.submitting import submit
from hmar.values.entries import Origin
from hmar.wiring import build_engine
from tests.broker import running_broker
from tests.phantoms import ct_file
from tests.workers.test_worker import settings_for, worker
from workers.messages import envelope, is_ping, task_of

SECRET = "Doe^Jane"


def changed(**parts: Any) -> dict[str, Any]:
    message = envelope("item", "5")
    message.update(parts)
    return message


def with_body(content: object) -> dict[str, Any]:
    return changed(body=b64encode(json.dumps(content).encode()).decode())


def with_headers(**more: object) -> dict[str, Any]:
    return changed(headers=envelope("item", "5")["headers"] | more)


def with_properties(**more: object) -> dict[str, Any]:
    return changed(properties=envelope("item", "5")["properties"] | more)


NOT_JSON = [
    b"",
    b"\xff\xfe\x00",
    b"text",
    b"[" * 100_000,
    b'{"__type__": "uuid", "__value__": {"hex": "x"}}',
    b"\x80\x04.",
]
NOT_OURS: list[object] = [
    [],
    [[]],
    "text",
    7,
    None,
    {},
    {"body": SECRET},
    changed(properties=None),
    changed(headers=None),
    changed(headers={}),
    changed(headers=[TASK]),
    changed(body=None),
    changed(body="%%%"),
    changed(body=b64encode(b"\xff").decode()),
    changed(**{"content-type": "application/x-python-serialize"}),
    changed(**{"content-encoding": "rot13"}),
    with_properties(body_encoding="rot13"),
    with_headers(task="other.task"),
    with_headers(task=["a"]),
    with_body({}),
    with_body([SECRET, "5"]),
    with_body([["item"], {}, {}]),
    with_body([["item", 5], {}, {}]),
    with_body([["item", SECRET], {}, {}]),
    with_body([["item", "5"], {"target": "6"}, {}]),
    with_body([["item", "5", "id", "more"], {}, {}]),
    with_body([["item", "5", 7], {}, {}]),
]
OURS_IN_PART: list[object] = [
    with_headers(
        eta="2999-01-01T00:00:00", expires="soon", timelimit="x", retries="many", compression="bzip2"
    ),
    with_headers(id=None, stamps=[], stamped_headers=7),
    with_properties(delivery_tag=["a"], delivery_info=None),
    with_body([["item", "999"], {}, {"callbacks": [{"task": "other"}], "chain": 7}]),
    with_body([["item", "5", SECRET], {}, {}]),
]


@pytest.mark.parametrize("raw", NOT_OURS)
def test_what_is_not_ours_is_no_task(raw: object) -> None:
    assert task_of(raw) is None


@pytest.mark.parametrize("raw", OURS_IN_PART)
def test_of_what_is_ours_in_part_two_words_are_taken(raw: object) -> None:
    assert task_of(raw) in {("item", "5", ""), ("item", "999", "")}


NAMES = ["headers", "properties", "body", "content-type", "content-encoding", "task", "delivery_tag"]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(NAMES),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
        ),
        max_leaves=20,
    )
)
def test_any_json_can_be_looked_at(raw: object) -> None:
    assert task_of(raw) is None
    assert not is_ping(raw)


def test_an_envelope_reads_as_what_it_was_made_of() -> None:
    assert task_of(envelope("expand", "0a-1")) == ("expand", "0a-1", "")
    assert task_of(envelope("expand", "0a-1", "ward-7")) == ("expand", "0a-1", "ward-7")
    assert not is_ping(envelope("expand", "0a-1"))


@pytest.mark.slow
def test_a_worker_drops_what_is_not_ours_and_does_what_is(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(1, 6):
        (folder / str(number)).write_bytes(ct_file(1, number))
    with running_broker() as url:
        settings = settings_for(tmp_path / "home", url)
        engine = build_engine(settings)
        broker = redis.Redis.from_url(url)
        garbage = [*NOT_JSON, *(json.dumps(raw).encode() for raw in NOT_OURS + OURS_IN_PART)]
        broker.lpush(QUEUE, *garbage)
        job_id = submit(engine.jobs, engine.queue, "default", Origin("local", str(folder)))
        with worker(settings) as process:
            deadline = time.monotonic() + 90
            while not (job := engine.jobs.job(job_id)) or not job.finished:
                assert process.poll() is None
                assert time.monotonic() < deadline
                broker.lpush(QUEUE, *garbage)
                for raw in garbage:
                    broker.publish("/0.celery.pidbox", raw)
                time.sleep(0.2)
            # Celery's own command to end.
            celery_app(url, 60.0).control.shutdown()
            while CeleryQueue(url).backlog():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert CeleryQueue(url).ping() == 1
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        assert job.frames == 5
        assert broker.hlen("unacked") == 0
        engine.close()
    assert 1 <= output.count("none of HMAR's") <= 2
    assert SECRET not in output
    assert b64encode(SECRET.encode()).decode()[:8] not in output
    assert "Traceback" not in output
