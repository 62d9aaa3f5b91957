"""Index jobs as a client lists, follows, cancels and repeats them."""

from __future__ import annotations

import json

import pytest

import hmar
from hmar.errors import ConflictError, NotFoundError, UnavailableError
from hmar.pauses import Pauses
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, JobState
from tests.hmar.client.conftest import Served
from tests.hmar.client.scripted import CLOSES, Scripted, Told, answer, problem
from tests.phantoms import ct_file
from tests.service.conftest import FRAMES

pytestmark = pytest.mark.slow


def test_jobs_are_listed_with_their_files(own: Served) -> None:
    client = own.client()
    client.add([ct_file(5, 1), b"no image"], collection="sent", keep_names=True)
    newest, first = client.jobs()
    stored = own.archive.engine.jobs.job(first.job_id)
    assert stored is not None
    assert first.to_dict([]) == stored.to_dict([])
    assert client.job(first.job_id).summary() == first.summary()
    assert [job.job_id for job in client.jobs(JobState.DONE, "sent")] == [newest.job_id]
    assert list(client.jobs(JobState.CANCELLED)) == []
    assert len(list(client.items(first.job_id))) == FRAMES
    good, bad = client.items(newest.job_id)
    assert (good.state, bad.state) == (ItemState.INDEXED, ItemState.FAILED)
    assert [item.to_dict()["name"] for item in (good, bad)] == ["bytes 1", "bytes 2"]
    assert list(client.items(newest.job_id, ItemState.FAILED)) == [bad]


def test_a_job_that_waits_is_followed_to_its_cancelled_end(own: Served) -> None:
    client, jobs = own.client(), own.archive.engine.jobs
    job_id = jobs.create("default", Origin("import", "x"), ["x/1.dcm", "x/2.dcm"])
    followed = client.follow(job_id)
    first = next(followed)
    assert (first.job.done, first.job.total, first.job.finished) == (0, 2, False)
    assert client.cancel(job_id).state is JobState.CANCELLED
    last = list(followed)[-1]
    assert (last.job.finished, last.seconds_left) == (True, 0.0)
    with pytest.raises(ConflictError, match="cancelled"):
        client.retry(job_id)


def test_what_failed_of_a_folder_is_tried_again(own: Served) -> None:
    client, home = own.client(), own.archive.engine.settings.import_root
    (home / "late").mkdir()
    (home / "late" / "1.dcm").write_bytes(b"DICM" * 60)
    job_id = own.archive.engine.indexer.submit("default", Origin("import", "late"))
    [before] = client.items(job_id)
    (home / "late" / "1.dcm").write_bytes(ct_file(7, 1))
    client.retry(job_id)
    [after] = client.items(job_id)
    assert (before.state, after.state) == (ItemState.FAILED, ItemState.INDEXED)


def test_a_job_that_is_not_there_is_an_error_of_its_own(served: Served) -> None:
    client = served.client()
    for ask in (client.job, client.cancel, client.retry, lambda job_id: next(client.follow(job_id))):
        with pytest.raises(NotFoundError, match="no job"):
            ask("nowhere")  # type: ignore[operator]


def events(*told: dict[str, object]) -> Told:
    lines = ":\n\n" + "".join(f"event: progress\ndata: {json.dumps(one)}\n\n" for one in told)
    return Told(200, {"Content-Type": "text/event-stream"}, lines.encode())


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that last no time."""
    monkeypatch.setattr("hmar.client.jobs.Pauses", lambda: Pauses(lambda _: None))
    monkeypatch.setattr("hmar.client.client.Pauses", lambda: Pauses(lambda _: None))


def test_a_stream_that_breaks_or_is_refused_for_a_while_is_asked_for_again(
    own: Served, hurried: None
) -> None:
    job = next(iter(own.client().jobs())).summary()
    begun = {**job, "finished": False, "state": "running", "seconds_left": 3.0}
    ended = {**job, "seconds_left": 0}
    script = [events(begun), CLOSES, problem(503, "overloaded"), events(begun, ended)]
    with Scripted(script) as server:
        told = list(hmar.Client(server.url, "hmar_k").follow(str(job["job_id"])))
    assert [one.seconds_left for one in told] == [3.0, 3.0, 0.0]
    assert told[-1].job.finished


def test_a_server_that_is_gone_ends_the_following(hurried: None) -> None:
    with Scripted([CLOSES] * 20) as server, pytest.raises(UnavailableError):
        list(hmar.Client(server.url, "hmar_k").follow("x"))


def test_answers_without_any_progress_are_not_asked_for_for_ever(hurried: None) -> None:
    """Such as the page of a proxy that is no HMAR search."""
    with (
        Scripted([answer(200, "<html></html>")] * 40) as server,
        pytest.raises(UnavailableError, match="read"),
    ):
        list(hmar.Client(server.url, "hmar_k").follow("x"))
    assert len(server.asked) < 10
