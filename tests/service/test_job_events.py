"""Following a job over a real socket, and who may."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from hmar.values.entries import Origin
from hmar.values.jobs import ItemState
from tests.service.asking import client_of, limited
from tests.service.conftest import Archive, build_archive
from tests.service.test_server import WAIT_S, Served

JOBS = "/api/v1/index-jobs"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(build_archive(tmp_path))
    yield served
    served.close()


@contextmanager
def follow(served: Served, job_id: str) -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection("127.0.0.1", timeout=WAIT_S)) as connection:
        connection.sock = served.connect()
        connection.request("GET", f"{JOBS}/{job_id}/events", headers={"X-API-Key": served.archive.key})
        with connection.getresponse() as stream:
            yield stream


def progress(stream: http.client.HTTPResponse) -> dict[str, Any]:
    """Read on to the next event that is no heartbeat."""
    while (line := stream.readline()) in (b":\n", b"\n"):
        pass
    assert line == b"event: progress\n"
    data: dict[str, Any] = json.loads(stream.readline().removeprefix(b"data: "))
    assert stream.readline() == b"\n"
    return data


@pytest.mark.slow
def test_a_job_is_followed_to_its_end_while_others_are_served(served: Served) -> None:
    jobs = served.archive.engine.jobs
    job_id = jobs.create("default", Origin("import", "."), ["a", "b"])
    ids = [item.item_id for item in jobs.items(job_id, set(ItemState), 10)]
    with ExitStack() as held:
        streams = [held.enter_context(follow(served, job_id)) for _ in range(3)]
        assert {stream.headers["Content-Type"] for stream in streams} == {"text/event-stream; charset=utf-8"}
        assert [progress(stream)["counts"]["queued"] for stream in streams] == [2] * 3
        jobs.finish(ids[0], ItemState.INDEXED, 1)
        assert [progress(stream)["counts"]["indexed"] for stream in streams] == [1] * 3
        jobs.cancel(job_id)
        last = [progress(stream) for stream in streams]
        assert {(one["state"], one["finished"]) for one in last} == {("cancelled", True)}
        assert [stream.read() for stream in streams] == [b""] * 3
    end = served.archive.client.get(f"{JOBS}/{job_id}/events")
    assert json.loads(end.text.splitlines()[1].removeprefix("data: ")) == last[0]


def test_as_many_jobs_are_followed_as_the_server_takes(empty_archive: Archive) -> None:
    job_id = empty_archive.engine.jobs.create("default", Origin("import", "."))
    path = f"{JOBS}/{job_id}/events"
    client = empty_archive.client
    opened = [client.get(path) for _ in range(8)]
    assert all(next(iter(answer.response)).startswith(b"event: progress") for answer in opened)
    refused = client.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "HMAR_WEB_STREAMS" in refused.get_json(force=True)["remedy"]
    for answer in opened:
        answer.close()
    with client.get(path) as again:
        assert again.status_code == 200
    assert client.head(path).status_code == 200


def test_a_job_that_is_not_there_or_not_seen_is_not_followed(empty_archive: Archive) -> None:
    job_id = empty_archive.engine.jobs.create("hidden", Origin("import", "."), [])
    assert empty_archive.client.get(f"{JOBS}/{'0' * 32}/events").status_code == 404
    reader = client_of(empty_archive, limited("reader", "index", "seen"))
    assert reader.get(f"{JOBS}/{job_id}/events").status_code == 404
    searcher = client_of(empty_archive, limited("searcher", "search"))
    assert searcher.get(f"{JOBS}/{job_id}/events").status_code == 403
    assert empty_archive.stranger.get(f"{JOBS}/{job_id}/events").status_code == 401
