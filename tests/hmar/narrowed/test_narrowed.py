"""Ports as a request sees them, beside the ports that it does not see through."""

from __future__ import annotations

import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryIndex, MemoryJobStore
from hmar.errors import ForbiddenError
from hmar.narrowed.catalogue import NarrowedCatalogue
from hmar.narrowed.index import NarrowedIndex
from hmar.narrowed.jobs import NarrowedJobs
from hmar.uploads import UPLOAD
from hmar.values.access import Access
from hmar.values.deletion import Extent, Selector
from hmar.values.entries import Origin
from hmar.values.identity import Identity
from hmar.values.jobs import ItemState, JobState, reindexing_origin
from hmar.values.selection import Selection
from tests.contract.examples import MODEL, ORIGIN, encoded, query

SEEN, HIDDEN = "seen", "hidden"


@pytest.fixture
def access() -> Access:
    return Access(Identity("reader", frozenset({"search"}), frozenset({SEEN})))


@pytest.fixture
def whole() -> MemoryCatalogue:
    catalogue = MemoryCatalogue()
    catalogue.append(SEEN, [encoded("1.1", study_uid="1", series_uid="1.9", patient_key="p")], ORIGIN)
    hidden = [encoded(uid, study_uid="1", series_uid="1.9", patient_key="q") for uid in ("1.1", "1.2")]
    catalogue.append(HIDDEN, hidden, ORIGIN)
    return catalogue


@pytest.fixture
def catalogue(whole: MemoryCatalogue, access: Access) -> NarrowedCatalogue:
    return NarrowedCatalogue(whole, lambda: access)


def test_what_is_hidden_is_not_there_by_any_verb(catalogue: NarrowedCatalogue) -> None:
    assert set(catalogue.entries([1, 2, 3])) == {1}
    assert [entry.entry_id for entry in catalogue.find("1.1", MODEL)] == [1]
    assert catalogue.find("1.2", MODEL) == catalogue.find("1.1", MODEL, HIDDEN) == []
    assert catalogue.instance(HIDDEN, "1.1") == catalogue.frames(HIDDEN, "1.9", MODEL) == []
    assert [entry.entry_id for entry in catalogue.frames(SEEN, "1.9", MODEL)] == [1]
    assert [series.collection for series in catalogue.series(MODEL)] == [SEEN]
    assert catalogue.patients("1.1", MODEL) == {"p"}
    assert catalogue.patients("1.2", MODEL) == frozenset()


def test_what_is_hidden_is_neither_counted_nor_deleted(
    catalogue: NarrowedCatalogue, whole: MemoryCatalogue
) -> None:
    study = Selector("study", "1")
    assert catalogue.extent(study, HIDDEN) == Extent(0, 0, 0, 0)
    assert catalogue.delete(study, HIDDEN).extent == Extent(0, 0, 0, 0)
    assert catalogue.delete(study).extent == Extent(1, 1, 1, 1)
    assert set(whole.entries([1, 2, 3])) == {2, 3}


def test_nothing_is_added_to_what_is_hidden(catalogue: NarrowedCatalogue, whole: MemoryCatalogue) -> None:
    with pytest.raises(ForbiddenError, match=HIDDEN):
        catalogue.append(HIDDEN, [encoded("9")], ORIGIN)
    assert catalogue.append(SEEN, [encoded("9")], ORIGIN).added == 1
    assert whole.last_seq() == 4


def test_a_file_is_referred_to_for_as_long_as_anybody_needs_it(catalogue: NarrowedCatalogue) -> None:
    catalogue.delete(Selector("study", "1"))
    assert catalogue.referred([ORIGIN]) == {ORIGIN}


def test_it_is_noted_whose_data_was_given(catalogue: NarrowedCatalogue, access: Access) -> None:
    catalogue.find("1.2", MODEL)
    assert access.touched == set()
    catalogue.entries([1, 2])
    assert access.touched == {("study", "1"), ("patient", "p")}
    catalogue.delete(Selector("instance", "9.9"))
    assert ("instance", "9.9") in access.touched


def test_searches_find_and_count_what_is_seen(whole: MemoryCatalogue, access: Access) -> None:
    index = NarrowedIndex(MemoryIndex(MODEL), lambda: access)
    index.apply(whole.tail(0, 10))
    for search in (index.search_global, index.search_windows, index.search_fused):
        for selection in (Selection(), Selection(within=frozenset({SEEN, HIDDEN})), Selection(SEEN)):
            assert [hit.entry_id for hit in search(query(), 10, 128, selection)] == [1]
            assert index.count(selection) == 1
        assert search(query(), 10, 128, Selection(HIDDEN)) == []


def test_jobs_of_what_is_hidden_are_not_there(access: Access) -> None:
    store = MemoryJobStore()
    jobs = NarrowedJobs(store, lambda: access)
    hidden = store.create(HIDDEN, Origin(UPLOAD, ""), ["a"])
    seen = jobs.create(SEEN, Origin(UPLOAD, ""), ["b"])
    assert jobs.job(hidden) is None
    assert jobs.items(hidden, tuple(ItemState), 10) == []
    assert [job.job_id for job in jobs.unfinished(tuple(JobState))] == [seen]
    assert len(jobs.items(seen, tuple(ItemState), 10)) == 1
    for collection, origin in ((HIDDEN, Origin(UPLOAD, "")), (SEEN, Origin("import", "folder"))):
        with pytest.raises(ForbiddenError):
            jobs.create(collection, origin)


def test_who_does_not_see_all_collections_does_not_stop_a_move_to_another_model(access: Access) -> None:
    jobs = MemoryJobStore()
    narrowed = NarrowedJobs(jobs, lambda: access)
    moving = jobs.create(SEEN, reindexing_origin(MODEL))
    with pytest.raises(ForbiddenError, match="another model"):
        narrowed.cancel(moving)
    own = jobs.create(SEEN, Origin("import", "chest"))
    narrowed.cancel(own)
    states = [job.state for one in (moving, own) if (job := jobs.job(one)) is not None]
    assert states == [JobState.QUEUED, JobState.CANCELLED]
