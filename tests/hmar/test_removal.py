"""What can be named to delete, and how snapshots come to hold nothing of it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import MemoryCatalogue, MemoryIndex, MemoryJobStore, MemoryUploads
from hmar.errors import ParameterError
from hmar.locks import locked
from hmar.removal import Remover, nothing_matches, one_selector, settle
from hmar.uploads import KeptUploads
from hmar.values.deletion import Extent, Level, Selector
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState
from tests.contract.examples import MODEL, ORIGIN, encoded

NONE: dict[Level, str | None] = {"instance": None, "series": None, "study": None}


@pytest.mark.parametrize("level", ["instance", "series", "study"])
def test_one_uid_names_what_to_delete(level: Level) -> None:
    assert one_selector({**NONE, level: " 1.2 "}, False, None) == Selector(level, "1.2")


def test_a_patient_is_named_by_key() -> None:
    assert one_selector(NONE, True, "key") == Selector("patient", "key")


@pytest.mark.parametrize(
    ("uids", "patient", "key", "detail"),
    [
        (NONE, False, None, "No things"),
        ({**NONE, "study": "1", "series": "2"}, False, None, "2 things"),
        ({**NONE, "study": "1"}, True, "key", "2 things"),
        ({**NONE, "study": " "}, False, None, "The UID of the study is empty"),
        (NONE, True, None, "The patient id is empty"),
    ],
)
def test_anything_but_one_thing_is_refused(
    uids: dict[Level, str | None], patient: bool, key: str | None, detail: str
) -> None:
    with pytest.raises(ParameterError, match=detail):
        one_selector(uids, patient, key)


def test_nothing_is_told_of_a_patient_who_is_not_there() -> None:
    assert "0123" not in str(nothing_matches(Selector("patient", "0123")))
    assert "1.2.3" in str(nothing_matches(Selector("study", "1.2.3")))


def test_an_upload_goes_with_its_last_frame() -> None:
    store, jobs, catalogue = MemoryUploads(), MemoryJobStore(), MemoryCatalogue()
    uploads = KeptUploads(store, jobs, catalogue)
    job_id = uploads.receive("default", [b"one"], None)
    [item] = jobs.items(job_id, set(ItemState), 10)
    jobs.finish(item.item_id, ItemState.INDEXED, 1)
    for collection in ("a", "b"):
        catalogue.append(collection, [encoded()], item.origin)
    catalogue.append("a", [encoded("2.1")], Origin("local", "a file of the user"))
    remover = Remover(catalogue, uploads, lambda: 5)
    assert remover.extent(Selector("instance", "1.2.3")) == Extent(2, 1, 1, 1)
    assert remover.delete(Selector("instance", "1.2.3"), "a").extent == Extent(1, 1, 1, 1)
    assert len(list(store.references())) == 1
    assert remover.delete(Selector("patient", "0123456789abcdef")).extent == Extent(2, 2, 1, 1)
    assert list(store.references()) == []
    assert remover.sweep() == 5


def test_settling_waits_for_a_snapshot_that_another_process_writes(tmp_path: Path) -> None:
    catalogue = MemoryCatalogue()
    catalogue.append("default", [encoded(windows=5)], ORIGIN)
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue.tail(0, 9))
    index.snapshot()
    catalogue.delete(Selector("study", "1.2"))

    def refresh() -> int:
        index.apply(catalogue.tail(1, 9))
        return 1

    [lock] = tmp_path.glob("*/lock")
    release, held = threading.Event(), threading.Event()

    def write() -> None:
        with locked(lock, exclusive=True, wait=True):
            held.set()
            release.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    assert held.wait(20)
    settled = threading.Thread(target=lambda: settle(refresh, index))
    settled.start()
    settled.join(0.3)
    assert index.stats().unsettled
    release.set()
    settled.join(20)
    writer.join(20)
    assert not index.stats().unsettled
    assert [path.name for path in tmp_path.glob("*/gen-*")] == [f"gen-{2:020d}"]


def test_settling_says_when_it_waited_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hmar.removal.SETTLE_TIMEOUT_S", 0.05)
    catalogue = MemoryCatalogue()
    catalogue.append("default", [encoded(windows=5)], ORIGIN)
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue.tail(0, 9))
    index.snapshot()
    catalogue.delete(Selector("study", "1.2"))
    index.apply(catalogue.tail(1, 9))
    [lock] = tmp_path.glob("*/lock")
    with locked(lock, exclusive=True, wait=True):
        assert not settle(lambda: 0, index)
    assert settle(lambda: 0, index)


def test_an_index_in_memory_is_settled_at_once() -> None:
    assert settle(lambda: 0, MemoryIndex(MODEL))
