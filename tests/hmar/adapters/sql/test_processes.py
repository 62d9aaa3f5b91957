"""The catalogue and the jobs in SQL under several processes at once, and under kill -9."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.jobs import SqlJobStore
from hmar.values.entries import Appended, LogRow, Origin
from hmar.values.jobs import ItemState, JobState
from tests.contract.examples import MODEL, ORIGIN, encoded, same_codes

pytestmark = pytest.mark.slow

SPAWN = multiprocessing.get_context("spawn")
WRITERS = 3
APPENDS = 20


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'catalogue.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(Database(url)) as database:
        database.migrate()
        yield database


def _append(url: str, writer: int, start: Event) -> None:
    catalogue = SqlCatalogue(Database(url))
    start.wait()
    for number in range(APPENDS):
        frames = [encoded(f"{writer}.{number}", frame) for frame in (1, 2)]
        assert catalogue.append("default", [*frames, encoded("0.0", number + 1)], ORIGIN).added >= 2


def test_a_tail_read_while_processes_append_skips_nothing_and_repeats_nothing(
    url: str, database: Database
) -> None:
    start = SPAWN.Event()
    writers = [SPAWN.Process(target=_append, args=(url, number, start)) for number in range(1, WRITERS + 1)]
    for writer in writers:
        writer.start()
    start.set()
    catalogue, rows = SqlCatalogue(database), list[LogRow]()
    while True:
        running = any(writer.is_alive() for writer in writers)
        batch = catalogue.tail(rows[-1].seq if rows else 0, 7)
        rows += batch
        if not batch and not running:
            break
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    # Two frames of each append are the writer's own, the third all writers append and one gets in.
    total = WRITERS * APPENDS * 2 + APPENDS
    assert [row.seq for row in rows] == list(range(1, total + 1))
    assert catalogue.last_seq() == total
    keys = [(row.encoded.info.sop_instance_uid, row.encoded.info.frame_number) for row in rows if row.encoded]
    assert len(set(keys)) == len(keys) == total
    for writer_id in range(1, WRITERS + 1):
        own = [key for key in keys if key[0].startswith(f"{writer_id}.")]
        assert own == sorted(own, key=lambda key: (int(key[0].split(".")[1]), key[1]))


def _append_and_hang(url: str, ready: Connection) -> None:
    def hang() -> float:
        ready.send(os.getpid())
        time.sleep(600)
        return 0.0

    # The clock is read after the entries are written and before the log is.
    SqlCatalogue(Database(url), hang).append("default", [encoded("2.1"), encoded("2.2")], ORIGIN)


def test_a_process_killed_within_a_transaction_loses_nothing_and_adds_nothing(
    url: str, database: Database
) -> None:
    catalogue = SqlCatalogue(database)
    catalogue.append("default", [encoded("1.1")], ORIGIN)
    here, there = SPAWN.Pipe()
    victim = SPAWN.Process(target=_append_and_hang, args=(url, there))
    victim.start()
    assert here.recv() == victim.pid
    assert catalogue.last_seq() == 1
    os.kill(victim.pid or 0, signal.SIGKILL)
    victim.join()
    assert catalogue.append("default", [encoded("2.2")], ORIGIN) == Appended(1, 0)
    rows = catalogue.tail(0, 10)
    assert [row.seq for row in rows] == [1, 2]
    for row, frame in zip(rows, (encoded("1.1"), encoded("2.2")), strict=True):
        assert row.encoded is not None
        assert same_codes(row.encoded, frame)
    assert catalogue.find("2.1", MODEL) == []


def _work(url: str, job_id: str, start: Event, won: Connection) -> None:
    jobs = SqlJobStore(Database(url))
    start.wait()
    mine = 0
    for item in jobs.items(job_id, set(ItemState), 100):
        if jobs.claim(item.item_id, 60.0, 3):
            mine += 1
            jobs.finish(item.item_id, ItemState.INDEXED, 1)
    won.send(mine)


def test_processes_share_a_jobs_items_without_doing_one_twice(url: str, database: Database) -> None:
    jobs = SqlJobStore(database)
    job_id = jobs.create("default", Origin("import", "."), [f"{number}" for number in range(30)])
    start, (here, there) = SPAWN.Event(), SPAWN.Pipe()
    workers = [SPAWN.Process(target=_work, args=(url, job_id, start, there)) for _ in range(2)]
    for worker in workers:
        worker.start()
    start.set()
    assert sum(here.recv() for _ in workers) == 30
    for worker in workers:
        worker.join()
    job = jobs.job(job_id)
    assert job is not None
    assert (job.state, job.frames, job.counts[ItemState.INDEXED]) == (JobState.DONE, 30, 30)
