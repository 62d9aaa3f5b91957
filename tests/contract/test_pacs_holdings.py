from __future__ import annotations

from typing import NamedTuple

import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryJobStore, MemoryPacsHoldings
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.holdings import SqlPacsHoldings
from hmar.adapters.sql.jobs import SqlJobStore
from hmar.ports import Catalogue, JobStore, PacsHoldings
from hmar.values.deletion import Selector
from hmar.values.entries import Origin
from hmar.values.follows import HeldInstance
from hmar.values.pulls import PACS, InstanceReference
from tests.contract.conftest import STORES
from tests.contract.examples import encoded

FIRST = InstanceReference("main", "1", "1.2", "1.2.3")
SECOND = InstanceReference("main", "1", "1.2", "1.2.4")
MAINZ = InstanceReference("main-2", "9", "9.2", "9.2.1")


class Held(NamedTuple):
    catalogue: Catalogue
    jobs: JobStore
    holdings: PacsHoldings


@pytest.fixture(params=STORES)
def held(request: pytest.FixtureRequest) -> Held:
    if request.param == "memory":
        catalogue, jobs = MemoryCatalogue(), MemoryJobStore()
        return Held(catalogue, jobs, MemoryPacsHoldings(catalogue, jobs))
    database = request.getfixturevalue(request.param)
    return Held(SqlCatalogue(database), SqlJobStore(database), SqlPacsHoldings(database))


def add(held: Held, reference: InstanceReference, collection: str = "default", frames: int = 1) -> None:
    for number in range(1, frames + 1):
        frame = encoded(
            reference.sop_instance_uid,
            number,
            study_uid=reference.study_uid,
            series_uid=reference.series_uid,
        )
        held.catalogue.append(collection, [frame], Origin(PACS, str(reference)))


def test_what_came_from_a_pacs_is_told_by_study_in_all_collections(held: Held) -> None:
    add(held, FIRST, frames=2)
    add(held, SECOND)
    add(held, SECOND, "teaching")
    add(held, MAINZ)
    assert held.holdings.studies("main") == ["1"]
    assert held.holdings.studies("main-2") == ["9"]
    assert held.holdings.studies("mai") == []
    assert held.holdings.of_study("main", "1") == [
        HeldInstance("default", "1.2.3", FIRST),
        HeldInstance("default", "1.2.4", SECOND),
        HeldInstance("teaching", "1.2.4", SECOND),
    ]
    assert held.holdings.of_study("main", "9") == []
    assert (held.holdings.count("main"), held.holdings.count("main-2")) == (2, 1)


def test_an_instance_that_has_frames_of_another_origin_is_not_the_pacs_alone(held: Held) -> None:
    add(held, FIRST)
    frame = encoded("1.2.3", 2, study_uid="1", series_uid="1.2")
    held.catalogue.append("default", [frame], Origin("import", "a.dcm"))
    assert held.holdings.of_study("main", "1") == []


def test_what_is_deleted_is_held_no_more(held: Held) -> None:
    add(held, FIRST)
    held.catalogue.delete(Selector("study", "1"))
    assert held.holdings.studies("main") == []
    assert held.holdings.count("main") == 0


def test_what_was_ever_asked_for_is_known_in_its_collection_alone(held: Held) -> None:
    held.jobs.create("default", Origin(PACS, ""), [str(FIRST)])
    pulled = held.jobs.create("default", Origin(PACS, "main"))
    held.jobs.add_items(pulled, [str(SECOND)])
    held.jobs.create("default", Origin("import", ""), [str(MAINZ)])
    assert held.holdings.asked_for("default", [FIRST, SECOND, MAINZ]) == {FIRST, SECOND}
    assert held.holdings.asked_for("teaching", [FIRST]) == set()
    assert held.holdings.asked_for("default", []) == set()
