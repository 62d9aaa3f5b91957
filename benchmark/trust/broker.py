"""The part ``broker``: messages lost, doubled, re-ordered, and such as no release ever sent."""

from __future__ import annotations

import base64
import json
import random
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import redis

from benchmark.trust.kills.tally import at_rest
from benchmark.trust.kills.trials import set_stage
from benchmark.trust.nursery import HungError, begin
from benchmark.trust.oracle.album import album, write_album
from benchmark.trust.oracle.rows import FrameKey, Frames, frames_of
from benchmark.trust.parts import Outcome, Part, Row, Run
from benchmark.trust.servers import Servers, serving
from benchmark.trust.settings import environment_of
from hmar.adapters.celery_queue import QUEUE
from hmar.indexing import submit
from hmar.values.entries import Origin
from hmar.values.jobs import Message

ROUNDS, SHORT_ROUNDS = 8, 1
JOB_S = 1.2
PATIENCE_S = 120.0
STRANGE_AT_ONCE = 4
"""Of the messages that no release sent, before each job."""
FOLDER = "album"
Trial = Callable[[Servers, str, random.Random], list[str]]
"""Takes the processes, a collection, and what is random; returns the jobs that must end."""
Envelope = dict[str, Any]


def broker(run: Run) -> Outcome:
    """Disturb the messages of index jobs, and compare what was indexed in the end with an undisturbed run.

    The broker is killed during a job and before it, and starts empty. Messages are sent several times, in any
    order, before their job's own. Into the queue go bytes that are no message, messages of other programs, of
    other kinds, about nothing, in the older of Celery's formats, and a mebibyte of nothing; then a job. A
    worker that ends is started again, as `hmar serve` does, and counted. A trial is passed if the job ends
    with every good frame there once, with the codes of an undisturbed run.
    """
    images = run.folder / "images"
    write_album(images, album(0))
    final = set_stage("index", run.folder / "index", images).final
    codes = {key[1:]: found for key, found in final.items()}
    drawn = random.Random(f"{run.seed} broker")  # noqa: S311 - repeatable, not secret
    counts: dict[str, list[int]] = {name: [0, 0, 0] for name in TRIALS}
    failures: list[str] = []
    expected: Frames = {}
    with serving(run.folder / "archive", ("broker", "worker")) as servers:
        shutil.copytree(images, servers.home / "import" / FOLDER)
        for number in range(SHORT_ROUNDS if run.short else ROUNDS):
            for name, trial in TRIALS.items():
                collection = f"{name}-{number}".replace(" ", "-")
                expected |= {FrameKey(collection, *key): found for key, found in codes.items()}
                wrong, ended = _tried(servers, trial, collection, drawn, expected)
                for place, count in enumerate((1, int(not wrong), ended)):
                    counts[name][place] += count
                failures += [f"{name}, round {number}: {text}" for text in wrong]
            run.say(f"broker: round {number + 1}")
    failures += _at_rest(servers.home, expected)
    rows: list[Row] = [
        {"disturbance": name, "tried": tried, "passed": passed, "workers that ended": ended}
        for name, (tried, passed, ended) in counts.items()
    ]
    summary: Row = {
        "tried": sum(tried for tried, _, _ in counts.values()),
        "passed": sum(passed for _, passed, _ in counts.values()),
        "workers that ended": sum(ended for _, _, ended in counts.values()),
    }
    return Outcome(rows, summary, failures)


def _tried(
    servers: Servers, trial: Trial, collection: str, drawn: random.Random, expected: Frames
) -> tuple[list[str], int]:
    """Return what was wrong, and how many workers ended."""
    ended = 0

    def done(job_id: str) -> bool:
        nonlocal ended
        if servers.gone("worker", 0):
            ended += 1
            servers.start("worker")
        job = servers.jobs.job(job_id)
        return job is not None and job.finished

    try:
        for job_id in trial(servers, collection, drawn):
            servers.until(partial(done, job_id), f"job {job_id} did not end", PATIENCE_S)
    except HungError as error:
        return [str(error)], ended
    same = frames_of(servers.home) == expected
    return [] if same else ["other frames than those of an undisturbed run"], ended


def _at_rest(home: Path, expected: Frames) -> list[str]:
    look = "benchmark.trust.kills.operations:look"
    looked = begin(home.parent, "look", environment_of(home), look, str(home))
    found: list[str] = looked.value()
    return at_rest(home, expected) + found


def _job(servers: Servers, collection: str) -> str:
    return submit(servers.jobs, servers.queue, collection, Origin("import", FOLDER))


def lost_meanwhile(servers: Servers, collection: str, drawn: random.Random) -> list[str]:
    """Kill the broker during a job; it comes back empty."""
    job_id = _job(servers, collection)
    time.sleep(drawn.uniform(0, JOB_S))
    servers.kill("broker")
    servers.start("broker")
    return [job_id]


def lost_before(servers: Servers, collection: str, _drawn: random.Random) -> list[str]:
    """Submit a job while there is no broker."""
    servers.kill("broker")
    job_id = _job(servers, collection)
    servers.start("broker")
    return [job_id]


def emptied(servers: Servers, collection: str, drawn: random.Random) -> list[str]:
    """Remove all messages during a job; connections stay."""
    job_id = _job(servers, collection)
    time.sleep(drawn.uniform(0, JOB_S))
    _client(servers).flushall()
    return [job_id]


def doubled_and_reordered(servers: Servers, collection: str, drawn: random.Random) -> list[str]:
    """Send each message of a job three times, in any order."""
    job_id = servers.jobs.create(collection, Origin("import", FOLDER))
    references = sorted(f"{FOLDER}/{path.name}" for path in (servers.home / "import" / FOLDER).iterdir())
    items = servers.jobs.add_items(job_id, references)
    messages = 3 * [Message("expand", job_id), *(Message("item", str(item)) for item in items)]
    drawn.shuffle(messages)
    servers.queue.enqueue(messages)
    return [job_id]


def foreign(servers: Servers, collection: str, drawn: random.Random) -> list[str]:
    """Put messages into the queue that no release ever sent, then submit a job."""
    client, envelope = _client(servers), _envelope(servers)
    strange: list[bytes | str] = [
        b"\xff\x00 no message",
        b"{}",
        b"[]",
        b'"text"',
        json.dumps({**envelope, "body": "%%%"}),
        json.dumps({**envelope, "content-type": "application/x-python-serialize"}),
        json.dumps({**envelope, "headers": {}}),
        json.dumps({**envelope, "headers": {**envelope["headers"], "task": "other.task"}}),
        _of(envelope, ["unknown", "1"]),
        _of(envelope, ["item", "no number"]),
        _of(envelope, ["item", str(1 << 62)]),
        _of(envelope, ["item", "-1"]),
        _of(envelope, ["expand", "no such job"]),
        _of(envelope, ["expand"]),
        _of(envelope, ["expand", "x", "y", "z"]),
        _of(envelope, [None, {"kind": "item"}]),
        _of(envelope, ["item", "0" * (1 << 20)]),
    ]
    for message in drawn.sample(strange, STRANGE_AT_ONCE):
        client.lpush(QUEUE, message)
    return [_job(servers, collection)]


def older_format(servers: Servers, collection: str, _drawn: random.Random) -> list[str]:
    """Send a job's message in the format of Celery before version 4."""
    job_id = servers.jobs.create(collection, Origin("import", FOLDER))
    envelope = _envelope(servers)
    headers = envelope["headers"]
    body = {"task": headers["task"], "id": headers["id"], "args": ["expand", job_id], "kwargs": {}}
    _client(servers).lpush(QUEUE, json.dumps({**envelope, "headers": {}, "body": _encoded(body)}))
    return [job_id]


TRIALS: dict[str, Trial] = {
    "killed during a job": lost_meanwhile,
    "killed before a job": lost_before,
    "emptied during a job": emptied,
    "doubled and re-ordered": doubled_and_reordered,
    "foreign and garbage": foreign,
    "older format": older_format,
}
"""What is done to the messages, by its name on the page."""


def _client(servers: Servers) -> redis.Redis:
    return redis.Redis.from_url(servers.settings.redis_url)


def _envelope(servers: Servers) -> Envelope:
    """Return a message as the product sends it, taken from a database of the broker that nobody reads."""
    from hmar.adapters.celery_queue import CeleryQueue

    other = servers.settings.redis_url.removesuffix("/0") + "/1"
    CeleryQueue(other).enqueue([Message("expand", "none")])
    message = redis.Redis.from_url(other).rpop(QUEUE)
    if not isinstance(message, bytes):
        raise HungError("the broker keeps no message")
    envelope: Envelope = json.loads(message)
    return envelope


def _of(envelope: Envelope, arguments: list[object]) -> str:
    return json.dumps({**envelope, "body": _encoded([arguments, {}, {}])})


def _encoded(body: object) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


PART = Part(
    "broker",
    "Broker",
    broker,
    "{tried} jobs whose messages were lost, doubled or forged",
    "{passed} indexed every frame once",
)
