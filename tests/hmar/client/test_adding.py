"""Files are sent in index jobs, waited for, and what became of each is told by its name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from hmar.client import adding, files
from hmar.client.adding import Sender
from hmar.client.api import Api
from hmar.client.connection import Connection
from hmar.client.server import Server
from hmar.errors import NotFoundError, ParameterError, UnavailableError
from hmar.pauses import Pauses
from hmar.values.added import Failure, silent
from hmar.values.jobs import JOB_CANCELLED, ItemState
from tests.hmar.client.conftest import Served
from tests.hmar.client.scripted import Scripted, answer, problem
from tests.phantoms import ct_file, series_uid

pytestmark = pytest.mark.slow


def folder_of(root: Path) -> Path:
    """Write a study: eight slices, one of them twice, a broken file, notes and a mask."""
    (root / "inner").mkdir(parents=True)
    for number in range(1, 8):
        (root / "inner" / f"{number}.dcm").write_bytes(ct_file(5, number))
    (root / "bare").write_bytes(ct_file(5, 8)[132:])
    (root / "again.dcm").write_bytes(ct_file(5, 1))
    (root / "broken.dcm").write_bytes(b"no image")
    (root / "notes.txt").write_text("whom to call")
    (root / "mask_7.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (root / "7.dcm").write_bytes(ct_file(5, 9))
    return root


def test_a_folder_is_sent_in_requests_that_the_server_takes(own: Served, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    client = own.client()
    added = client.add(
        folder_of(tmp_path / "study"), collection="new", label="a label", progress=lambda *at: seen.append(at)
    )
    # The server of the tests takes five slices at a time.
    assert (added.indexed, added.unchanged) == (9, 1)
    assert [failure.file for failure in added.failures] == ["broken.dcm"]
    assert "neither DICOM nor PNG" in str(added.failures[0].reason)
    assert {skip.file: skip.reason for skip in added.skips} == {
        "mask_7.png": files.MASK,
        "notes.txt": files.NO_IMAGE,
    }
    assert seen[-1] == (11, 11)
    assert seen == sorted(seen)
    [series] = client.series("new")
    assert (series.series_uid, series.frames) == (series_uid(5), 9)
    assert client.search(ct_file(5, 1), k=1, label="a label")[0].distance == 0


def test_a_file_and_bytes_are_added_and_stay_as_they_are(own: Served, tmp_path: Path) -> None:
    path = tmp_path / "slice.dcm"
    path.write_bytes(ct_file(6, 1))
    client = own.client()
    assert client.add(path).indexed == 1
    assert client.add(str(path)).unchanged == 1
    added = client.add([path, ct_file(6, 2)])
    assert (added.indexed, added.unchanged, added.failed) == (1, 1, 0)


def test_a_file_that_the_server_does_not_take_is_told_and_ends_nothing(own: Served, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(500_000))
    added = own.client().add([large, ct_file(6, 1)])
    assert added.indexed == 1
    [failure] = added.failures
    assert failure.file == "large.png"
    assert "400000 bytes" in str(failure.reason)


def test_what_is_not_there_or_cannot_be_used_is_refused(own: Served, tmp_path: Path) -> None:
    client = own.client()
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="no file or folder"):
        client.add(tmp_path / "nowhere")
    with pytest.raises(NotFoundError, match="no file to add"):
        client.add(tmp_path / "empty")
    with pytest.raises(ParameterError, match="collection"):
        client.add(ct_file(6, 1), collection="no name")


def test_requests_hold_so_many_files_and_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "BATCH_BYTES", 10)
    monkeypatch.setattr(files, "BATCH_FILES", 3)
    sizes = [4, 4, 4, 30, 1, 1, 1, 1]
    unread: list[Failure] = []
    listed = [files.File(str(at), bytes(size)) for at, size in enumerate(sizes)]
    listed.insert(2, files.File("gone", tmp_path / "gone"))
    sent = [[len(data) for _, data in batch] for batch in files.batches(listed, unread)]
    assert sent == [[4, 4], [4], [30], [1, 1, 1], [1]]
    assert [failure.file for failure in unread] == ["gone"]


def test_a_request_that_comes_again_is_the_same_job() -> None:
    ended = {**dict.fromkeys(map(str, ItemState), 0), "indexed": 1}
    taken = answer(200, json.dumps({"job_id": "7", "finished": True, "frames": 1, "counts": ended}))
    slept: list[float] = []
    with Scripted([problem(503, "overloaded", Retry_After="2"), taken, taken]) as server:
        api = Api(Server(server.url, "k"), Connection(server.url, 5), Pauses(slept.append, lambda: 0.0))
        sender = Sender(api, 10)
        for _ in range(2):
            assert sender.add(b"image", "default", None, silent).indexed == 1
    first, again, other = (asked.headers["Idempotency-Key"] for asked in server.asked)
    assert first == again
    assert first != other
    assert slept == [2.0]


def test_a_file_of_a_cancelled_job_is_told_as_not_added() -> None:
    counts = {**dict.fromkeys(map(str, ItemState), 0), "cancelled": 1}
    job = answer(200, json.dumps({"job_id": "7", "finished": True, "frames": 0, "counts": counts}))
    item = {"reference": hashlib.sha256(b"image").hexdigest(), "state": "cancelled", "reason": JOB_CANCELLED}
    page = answer(200, json.dumps({"items": [item], "next_after": None}))
    with Scripted([job, page]) as server:
        api = Api(Server(server.url, "k"), Connection(server.url, 5), Pauses())
        added = Sender(api, 10).add(b"image", "default", None, silent)
    assert (added.indexed, added.failures) == (0, (Failure("bytes 1", JOB_CANCELLED),))
    assert "state=cancelled" in server.asked[1].path


def test_a_job_that_nobody_works_on_is_not_waited_for_for_ever() -> None:
    counts = dict.fromkeys(map(str, ItemState), 0)
    job = {"job_id": "7", "finished": False, "frames": 0, "counts": {**counts, "queued": 1}}
    told = answer(200, json.dumps(job))
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with Scripted([told] * 40) as server:
        api = Api(Server(server.url, "k"), Connection(server.url, 5), Pauses())
        sender = Sender(api, 10, sleep, lambda: now[0])
        with pytest.raises(UnavailableError, match="job 7 for 10 s"):
            sender.add(b"image", "default", None, silent)
    assert 10 < now[0] <= 10 + adding.LONGEST_LOOK_S
