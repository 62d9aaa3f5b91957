from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hmar.adapters.memory import MemoryAuditStore
from hmar.adapters.sql.audit import SqlAuditStore
from hmar.ports import AuditStore
from hmar.values.audit import AuditAnchor, AuditMark, AuditRecord, WantedAudit
from tests.contract.conftest import STORES


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> AuditStore:
    if request.param == "memory":
        return MemoryAuditStore()
    return SqlAuditStore(request.getfixturevalue(request.param))


def record(number: int) -> AuditRecord:
    return AuditRecord(1000.125 + number, "searchImage", "/x", "search", "pacs", 200, "::1", '["study:0"]', 1)


def sealed(last: AuditMark, said: AuditRecord) -> str:
    return f"{last.seq}.{last.digest[-20:]}.{said.at}"[:64]


def test_records_are_numbered_from_1_and_sealed_after_the_one_before(store: AuditStore) -> None:
    assert store.rows(0, 10) == []
    assert store.append([], sealed) == AuditMark(0, "")
    first = sealed(AuditMark(0, ""), record(1))
    second = sealed(AuditMark(1, first), record(2))
    assert store.append([record(1), record(2)], sealed) == AuditMark(2, second)
    third = sealed(AuditMark(2, second), record(3))
    assert store.append([record(3)], sealed) == AuditMark(3, third)
    rows = store.rows(0, 10)
    assert [tuple(row) for row in rows] == [
        (1, record(1), first),
        (2, record(2), second),
        (3, record(3), third),
    ]
    assert store.rows(1, 1) == rows[1:2]
    assert store.rows(3, 10) == []
    assert (store.digest(2), store.digest(4)) == (second, None)


def test_the_newest_rows_come_first_from_a_number_on_and_those_alone_that_are_wanted(
    store: AuditStore,
) -> None:
    accesses = [
        record(number)._replace(operation="delete" if number % 2 else "readImage") for number in range(6)
    ]
    store.append(accesses, sealed)

    def numbers(wanted: WantedAudit, before: int | None = None, limit: int = 10) -> list[int]:
        return [row.seq for row in store.newest(wanted, before, limit)]

    assert numbers(WantedAudit()) == [6, 5, 4, 3, 2, 1]
    assert store.newest(WantedAudit(), 3, 1) == store.rows(1, 1)
    assert numbers(WantedAudit("delete")) == [6, 4, 2]
    assert numbers(WantedAudit("delete"), before=4) == [2]
    assert numbers(WantedAudit(since=accesses[1].at, until=accesses[3].at)) == [3, 2]
    assert numbers(WantedAudit("nothing")) == []


def test_what_is_pruned_is_gone_and_the_next_row_follows_it(store: AuditStore) -> None:
    store.append([record(number) for number in range(1, 6)], sealed)
    rows = store.rows(0, 10)
    for last, removed in ((2, 2), (5, 3)):
        anchor = AuditAnchor(AuditMark(last, rows[last - 1].digest), f"proof {last}")
        assert store.prune(anchor) == removed
        assert store.anchor() == anchor
        assert store.rows(0, 10) == rows[last:]
        assert store.digest(last) is None
        earlier = AuditAnchor(AuditMark(1, rows[0].digest), "of another who pruned meanwhile")
        assert (store.prune(earlier), store.anchor()) == (0, anchor)
    assert store.append([record(6)], sealed).seq == 6
    assert store.rows(0, 10)[0].digest == sealed(AuditMark(5, rows[4].digest), record(6))


def test_writers_at_once_follow_each_other(store: AuditStore) -> None:
    def write(number: int) -> None:
        store.append([record(number), record(number)], sealed)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(20)))
    last = AuditMark(0, "")
    for row in store.rows(0, 100):
        assert (row.seq, row.digest) == (last.seq + 1, sealed(last, row.record))
        last = AuditMark(row.seq, row.digest)
    assert last.seq == 40
