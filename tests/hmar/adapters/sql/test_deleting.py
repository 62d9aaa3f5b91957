"""What a delete leaves in the files of SQLite, and what it reads to find its rows."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.dialects import sqlite

from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.deleting import PATIENT_DELETED, delete_selected, selected
from hmar.adapters.sql.integrity import SqlIntegrity
from hmar.adapters.sql.jobs import SqlJobStore
from hmar.adapters.sql.schema import entries
from hmar.uploads import UPLOAD
from hmar.values.codes import EncodedFrame
from hmar.values.deletion import Level, Selector
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, JobState, SentAs
from tests.contract.examples import encoded
from tests.hmar.adapters.sql.damage import flip_value

KILLED = """
import os, signal, sys
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.values.deletion import Selector
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState
from tests.hmar.adapters.sql.test_deleting import slices_of
database = Database(f"sqlite:///{sys.argv[1]}")
database.migrate()
catalogue = SqlCatalogue(database)
catalogue.append("default", slices_of(1), Origin("local", "a"))
database.empty_write_ahead_log = lambda: os.kill(os.getpid(), signal.SIGKILL)
catalogue.delete(Selector("study", "1.1"))
"""
PATIENTS = 60
SLICES = 12


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path / 'catalogue.db'}")) as database:
        database.migrate()
        yield database


def patient_key(patient: int) -> str:
    return f"{patient * 0x9E3779B97F4A7C15 % 2**128:032x}"


def slices_of(patient: int) -> list[EncodedFrame]:
    known = {"patient_key": patient_key(patient), "study_uid": f"1.{patient}", "series_uid": f"1.{patient}.1"}
    return [encoded(f"1.{patient}.1.{number}", windows=120, **known) for number in range(SLICES)]


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


@pytest.mark.slow
def test_nothing_of_a_deleted_patient_is_left_in_the_files(database: Database, tmp_path: Path) -> None:
    catalogue = SqlCatalogue(database)
    for patient in range(PATIENTS):
        # Taken apart, so that pages of the database are shared, split and moved.
        for frame in slices_of(patient * 7 % PATIENTS):
            catalogue.append("default", [frame], Origin("upload", f"file of {patient * 7 % PATIENTS}"))
    for patient in (3, 17, 44):
        codes = [frame.global_code.tobytes() for frame in slices_of(patient)]
        codes += [frame.window_codes[50].tobytes() for frame in slices_of(patient)]
        names = [patient_key(patient).encode(), f"1.{patient}.1".encode()]
        before = stored_bytes(tmp_path)
        assert all(planted in before for planted in codes + names)
        assert catalogue.delete(Selector("patient", patient_key(patient))).extent.frames == SLICES
        after = stored_bytes(tmp_path)
        assert not [planted for planted in codes + names[:1] if planted in after]
    assert patient_key(4).encode() in stored_bytes(tmp_path)


GIVEN, OTHER = "c0ffee" * 5 + "00", "decade" * 5 + "00"


def given(database: Database, collection: str, *states: ItemState) -> str:
    """Create a job whose files, one in each state, are given a patient by a table; return its id."""
    jobs, files = SqlJobStore(database), [f"file {number}" for number in range(len(states))]
    job_id = jobs.create(collection, Origin("local", "."), files, None, dict.fromkeys(files, GIVEN))
    for item, state in zip(jobs.items(job_id, {ItemState.QUEUED}, 9), states, strict=True):
        if state is not ItemState.QUEUED:
            jobs.finish(item.item_id, state, 1)
    return job_id


def patients_of(database: Database, job_id: str) -> list[str | None]:
    return [item.patient_key for item in SqlJobStore(database).items(job_id, set(ItemState), 9)]


@pytest.mark.parametrize(
    "selector", [Selector("patient", GIVEN), Selector("study", "1.1"), Selector("instance", "1.1.1.0")]
)
def test_the_patient_that_was_given_with_a_file_goes_with_its_frames(
    database: Database, tmp_path: Path, selector: Selector
) -> None:
    catalogue = SqlCatalogue(database)
    for collection in ("default", "other"):
        [frame] = slices_of(1)[:1]
        frame = replace(frame, info=replace(frame.info, patient_key=GIVEN))
        catalogue.append(collection, [frame], Origin("local", "file 0"))
    here, there = (given(database, name, ItemState.INDEXED) for name in ("default", "other"))
    catalogue.delete(selector, "default")
    assert (patients_of(database, here), patients_of(database, there)) == ([None], [GIVEN])
    catalogue.delete(selector)
    assert patients_of(database, there) == [None]
    assert GIVEN.encode() not in stored_bytes(tmp_path)


def test_a_deleted_patient_is_forgotten_by_files_that_failed_and_given_up_with_those_to_come(
    database: Database, tmp_path: Path
) -> None:
    jobs = SqlJobStore(database)
    job_id = given(database, "default", ItemState.FAILED, ItemState.INDEXED, ItemState.QUEUED)
    elsewhere = given(database, "other", ItemState.QUEUED)
    mixed = jobs.create("default", Origin("local", ""), ["his", "hers"], None, {"his": GIVEN, "hers": OTHER})
    his = jobs.items(mixed, {ItemState.QUEUED}, 1)[0]
    assert jobs.claim(his.item_id, 30.0, 3) is not None
    SqlCatalogue(database).delete(Selector("patient", GIVEN), "default")
    assert patients_of(database, job_id) == [None, None, None]
    [_, _, queued] = jobs.items(job_id, set(ItemState), 9)
    assert (queued.state, queued.reason) == (ItemState.FAILED, PATIENT_DELETED)
    assert jobs.claim(queued.item_id, 30.0, 3) is None
    assert [job.job_id for job in jobs.unfinished({JobState.DONE})] == [job_id]
    assert patients_of(database, mixed) == [None, OTHER]
    assert patients_of(database, elsewhere) == [GIVEN]
    SqlCatalogue(database).delete(Selector("patient", GIVEN))
    assert patients_of(database, elsewhere) == [None]
    assert GIVEN.encode() not in stored_bytes(tmp_path)


def test_of_two_patients_of_one_file_the_one_whose_frames_stay_is_kept(database: Database) -> None:
    catalogue, jobs = SqlCatalogue(database), SqlJobStore(database)
    job_ids = []
    for number, key in enumerate((GIVEN, OTHER)):
        [frame] = slices_of(number)[:1]
        frame = replace(frame, info=replace(frame.info, patient_key=key))
        catalogue.append("default", [frame], Origin("local", "film"))
        job_ids.append(jobs.create("default", Origin("local", ""), ["film"], None, {"film": key}))
        [item] = jobs.items(job_ids[-1], {ItemState.QUEUED}, 1)
        jobs.finish(item.item_id, ItemState.INDEXED, 1)
    catalogue.delete(Selector("study", "1.0"))
    assert [patients_of(database, job_id) for job_id in job_ids] == [[None], [OTHER]]
    catalogue.delete(Selector("study", "1.1"))
    assert [patients_of(database, job_id) for job_id in job_ids] == [[None], [None]]


def test_the_name_of_a_sent_file_goes_with_its_last_frame(database: Database, tmp_path: Path) -> None:
    catalogue, jobs = SqlCatalogue(database), SqlJobStore(database)
    sent = {"a" * 64: SentAs(1, "Mustermann.dcm"), "b" * 64: SentAs(2, "other.dcm")}
    for number, reference in enumerate(sent):
        catalogue.append("default", slices_of(number)[:2], Origin(UPLOAD, reference))
    job_id = jobs.create("default", Origin(UPLOAD, ""), list(sent), sent=sent)
    catalogue.delete(Selector("instance", "1.0.1.0"))
    assert [item.sent_as for item in jobs.items(job_id, set(ItemState), 9)] == list(sent.values())
    catalogue.delete(Selector("study", "1.0"))
    assert [item.sent_as for item in jobs.items(job_id, set(ItemState), 9)] == [
        SentAs(1),
        SentAs(2, "other.dcm"),
    ]
    assert b"Mustermann" not in stored_bytes(tmp_path)


def test_the_name_of_a_sent_file_goes_with_a_damaged_frame_that_was_taken_out(
    database: Database, tmp_path: Path
) -> None:
    catalogue, jobs = SqlCatalogue(database), SqlJobStore(database)
    catalogue.append("default", slices_of(1)[:1], Origin(UPLOAD, "a"))
    job_id = jobs.create("default", Origin(UPLOAD, ""), ["a"], sent={"a": SentAs(1, "Mustermann.dcm")})
    flip_value(tmp_path / "catalogue.db", "entries", "rows", "entry_id = 1")
    assert SqlIntegrity(database).take_out([1]) == 1
    catalogue.delete(Selector("study", "1.1"))
    assert [item.sent_as for item in jobs.items(job_id, set(ItemState), 9)] == [SentAs(1)]
    assert b"Mustermann" not in stored_bytes(tmp_path)


def test_the_write_ahead_log_is_empty_after_a_delete(database: Database, tmp_path: Path) -> None:
    catalogue = SqlCatalogue(database)
    catalogue.append("default", slices_of(1), Origin("local", "a"))
    assert (tmp_path / "catalogue.db-wal").stat().st_size
    catalogue.delete(Selector("study", "1.1"))
    assert (tmp_path / "catalogue.db-wal").stat().st_size == 0


def test_a_reader_that_stays_delays_that_and_nothing_else(database: Database, tmp_path: Path) -> None:
    catalogue = SqlCatalogue(database)
    catalogue.append("default", slices_of(1), Origin("local", "a"))
    with database.read() as reader:
        reader.execute(select(entries.c.entry_id)).all()
        with database.write() as connection:
            delete_selected(connection, selected(Selector("study", "1.1"), None), 100, now=0.0)
        assert database.empty_write_ahead_log(wait_ms=50) is False
    assert database.empty_write_ahead_log(wait_ms=50) is True
    assert (tmp_path / "catalogue.db-wal").stat().st_size == 0


def test_the_next_start_empties_what_a_killed_process_has_left(tmp_path: Path) -> None:
    """The process is killed between the delete and the emptying of the write-ahead log."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "catalogue.db")], check=False)
    assert done.returncode == -signal.SIGKILL
    codes = [frame.global_code.tobytes() for frame in slices_of(1)]
    assert any(code in stored_bytes(tmp_path) for code in codes)
    with closing(Database(f"sqlite:///{tmp_path / 'catalogue.db'}")) as database:
        database.migrate()
        assert not [code for code in codes if code in stored_bytes(tmp_path)]


def test_given_patients_and_names_are_looked_up_by_file_and_not_by_job(database: Database) -> None:
    asked: list[str] = []
    [frame] = slices_of(1)[:1]
    SqlCatalogue(database).append("default", [frame], Origin(UPLOAD, "a"))
    with database.write() as connection:
        event.listen(connection, "before_cursor_execute", lambda _c, _r, sql, *_: asked.append(sql))
        delete_selected(connection, selected(Selector("study", "1.1"), None), 100, now=0.0)
        updates = [sql for sql in asked if sql.startswith("UPDATE items")]
        assert len(updates) == 2
        for sql in updates:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("x",) * sql.count("?")).all()
            assert "ix_items_reference" in str(plan[0])


@pytest.mark.parametrize("level", ["instance", "series", "study", "patient"])
@pytest.mark.parametrize("collection", [None, "default"])
def test_every_selector_is_looked_up_in_an_index(
    database: Database, level: Level, collection: str | None
) -> None:
    query = select(entries.c.entry_id).where(selected(Selector(level, "1.2"), collection))
    text = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    assert all("USING" in row[-1] and "SEARCH" in row[-1] for row in plan), plan
