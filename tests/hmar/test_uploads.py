"""Uploads are kept as long as somebody needs them, also while they are sent again."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryJobStore, MemoryUploads
from hmar.adapters.sql.storage import sql_storage
from hmar.adapters.upload_store import UploadStore
from hmar.errors import NotFoundError, UnavailableError
from hmar.ports import Catalogue, JobStore, UploadSource
from hmar.uploads import UPLOAD, KeptUploads
from hmar.values.deletion import Selector
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, JobRequest, JobState, SentAs
from tests.contract.examples import encoded

ALL = set(ItemState)


class Rig:
    """Uploads and what they stand on."""

    def __init__(self, store: UploadSource, jobs: JobStore, catalogue: Catalogue) -> None:
        self.store, self.jobs, self.catalogue = store, jobs, catalogue
        self.kept = KeptUploads(store, jobs, catalogue)

    @property
    def stored(self) -> int:
        return len(list(self.store.references()))

    def end(self, job_id: str, *, indexed: bool = False) -> None:
        """End the items of a job, with a frame of each or without."""
        for item in self.jobs.items(job_id, ALL, 100):
            if indexed:
                frame = encoded(f"1.{item.item_id}", windows=1)
                self.catalogue.append("default", [frame], item.origin)
            self.jobs.finish(item.item_id, ItemState.INDEXED if indexed else ItemState.FAILED, 0)

    def references(self, job_id: str) -> list[str]:
        return [item.origin.reference for item in self.jobs.items(job_id, ALL, 100)]


@pytest.fixture(params=["memory", "disk"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "memory":
        yield Rig(MemoryUploads(), MemoryJobStore(), MemoryCatalogue())
    else:
        storage = sql_storage(f"sqlite:///{tmp_path / 'catalogue.db'}")
        yield Rig(UploadStore(tmp_path / "uploads"), storage.jobs, storage.catalogue)
        storage.close()


def test_a_job_over_sent_files_has_an_item_for_each_content(rig: Rig) -> None:
    job_id = rig.kept.receive("default", [b"one", b"two", b"one"], "label")
    items = rig.jobs.items(job_id, ALL, 10)
    assert sorted(rig.store.fetch(item.origin.reference, 10) for item in items) == [b"one", b"two"]
    assert {(item.origin.source, item.label) for item in items} == {(UPLOAD, "label")}


def test_files_are_numbered_as_they_were_sent_and_named_where_that_is_asked_for(rig: Rig) -> None:
    contents, names = [b"two", b"one", b"two"], ["x.dcm", "y.dcm", "z.dcm"]
    for kept in (None, names):
        job_id = rig.kept.receive("default", contents, None, kept)
        sent = {
            rig.store.fetch(item.origin.reference, 10): item.sent_as
            for item in rig.jobs.items(job_id, ALL, 10)
        }
        named = kept or [None, None]
        assert sent == {b"two": SentAs(1, named[0]), b"one": SentAs(2, named[1])}


def test_the_same_request_again_stores_what_a_killed_process_has_not(rig: Rig) -> None:
    request = JobRequest("a" * 64, "b" * 64)
    job_id = rig.kept.receive("default", [b"one"], None, None, request)
    rig.store.remove(rig.references(job_id)[0])
    assert rig.kept.receive("default", [b"one"], None, None, request) == job_id
    assert rig.store.fetch(rig.references(job_id)[0], 10) == b"one"


def test_the_same_request_that_cannot_be_stored_again_takes_no_file_from_its_job(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = JobRequest("a" * 64, "b" * 64)
    job_id = rig.kept.receive("default", [b"one"], None, None, request)

    def full(_content: bytes) -> str:
        raise UnavailableError("The disk is full.", "Make room.")

    monkeypatch.setattr(rig.store, "put", full)
    with pytest.raises(UnavailableError):
        rig.kept.receive("default", [b"one"], None, None, request)
    assert [item.state for item in rig.jobs.items(job_id, ALL, 10)] == [ItemState.QUEUED]


def test_a_sweep_forgets_old_names(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = rig.kept.receive("default", [b"one"], None, ["x.dcm"])
    rig.kept.sweep()
    assert [item.sent_as for item in rig.jobs.items(job_id, ALL, 10)] == [SentAs(1, "x.dcm")]
    monkeypatch.setattr("hmar.uploads.NAMES_KEPT_S", -1.0)
    rig.kept.sweep()
    assert [item.sent_as for item in rig.jobs.items(job_id, ALL, 10)] == [SentAs(1)]


def test_a_file_is_needed_by_an_open_item_and_by_a_frame_and_by_nobody_else(rig: Rig) -> None:
    refused = rig.kept.receive("default", [b"one"], None)
    [reference] = rig.references(refused)
    assert rig.kept.sweep() == 0
    again = rig.kept.receive("default", [b"one"], None)
    rig.end(refused)
    assert rig.kept.collect([reference]) == 0
    rig.end(again, indexed=True)
    assert rig.kept.collect([reference]) == 0
    rig.catalogue.delete(Selector("patient", "0123456789abcdef"))
    assert rig.stored == 1
    assert rig.kept.collect([reference]) == 1
    assert rig.stored == 0
    assert rig.kept.collect([reference, "0" * 64]) == 0


def test_a_sweep_finds_what_nobody_needs_and_leaves_what_no_job_tells_of(rig: Rig) -> None:
    rig.end(rig.kept.receive("default", [b"refused", b"as well"], None))
    rig.end(rig.kept.receive("default", [b"indexed"], None), indexed=True)
    rig.kept.receive("default", [b"open"], None)
    rig.store.put(b"of another database")
    assert rig.kept.sweep() == 2
    assert rig.stored == 3
    assert rig.kept.sweep() == 0


def test_an_item_of_another_source_says_nothing_of_an_upload(rig: Rig) -> None:
    reference = rig.store.put(b"one")
    rig.end(rig.jobs.create("default", Origin("local", "/"), [reference]))
    assert rig.kept.sweep() == 0


class FullStore(MemoryUploads):
    """A store that has room for one file."""

    def put(self, data: bytes) -> str:
        if list(self.references()):
            raise UnavailableError("The disk is full.", "Free some space.")
        return super().put(data)


def test_a_job_whose_files_cannot_be_stored_has_ended_and_leaves_none() -> None:
    rig = Rig(FullStore(), MemoryJobStore(), MemoryCatalogue())
    with pytest.raises(UnavailableError):
        rig.kept.receive("default", [b"one", b"two"], None)
    assert rig.jobs.unfinished({JobState.QUEUED, JobState.RUNNING}) == []
    assert rig.kept.sweep() == 1
    assert rig.stored == 0


def test_a_sweep_that_cannot_have_the_store_for_itself_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmar.adapters.upload_store.REMOVING_WAIT_S", 0.05)
    rig = Rig(UploadStore(tmp_path), MemoryJobStore(), MemoryCatalogue())
    rig.end(rig.kept.receive("default", [b"one"], None))
    with rig.store.receiving():
        assert rig.kept.sweep() == 0
    assert rig.kept.sweep() == 1


@pytest.mark.slow
def test_a_file_that_is_sent_while_it_is_removed_is_there(rig: Rig) -> None:
    """Each round sends, checks and refuses the same bytes, while others sweep all the time."""
    ended = threading.Event()

    def sweep() -> None:
        while not ended.is_set():
            rig.kept.sweep()

    def send(_: int) -> bool:
        job_id = rig.kept.receive("default", [b"the same"], None)
        [reference] = rig.references(job_id)
        there = rig.store.fetch(reference, 100) == b"the same"
        rig.end(job_id)
        return there

    with ThreadPoolExecutor(5) as pool:
        sweeps = [pool.submit(sweep) for _ in range(2)]
        try:
            assert all(pool.map(send, range(60)))
        finally:
            ended.set()
        for each in sweeps:
            each.result()


def sweep_until(folder: Path, ended: object) -> None:
    storage = sql_storage(f"sqlite:///{folder / 'catalogue.db'}")
    kept = KeptUploads(UploadStore(folder / "uploads"), storage.jobs, storage.catalogue)
    while not ended.is_set():  # type: ignore[attr-defined]
        kept.sweep()


@pytest.mark.slow
def test_that_holds_between_processes(tmp_path: Path) -> None:
    storage = sql_storage(f"sqlite:///{tmp_path / 'catalogue.db'}")
    rig = Rig(UploadStore(tmp_path / "uploads"), storage.jobs, storage.catalogue)
    spawned = multiprocessing.get_context("spawn")
    ended = spawned.Event()
    sweeper = spawned.Process(target=sweep_until, args=(tmp_path, ended))
    sweeper.start()
    removed = 0
    try:
        while removed < 10:
            job_id = rig.kept.receive("default", [b"the same"], None)
            [reference] = rig.references(job_id)
            assert rig.store.fetch(reference, 100) == b"the same"
            rig.end(job_id)
            removed += gone(rig.store, reference, sweeper)
    finally:
        ended.set()
        sweeper.join(30)
        storage.close()
    assert sweeper.exitcode == 0


def gone(store: UploadSource, reference: str, sweeper: multiprocessing.process.BaseProcess) -> bool:
    """Wait until a file is removed."""
    while sweeper.is_alive():
        try:
            store.fetch(reference, 100)
        except NotFoundError:
            return True
    return False
