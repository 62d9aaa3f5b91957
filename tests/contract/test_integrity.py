"""One scenario, every adapter: what is intact is found intact, and secrets' check values are kept."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from hmar.adapters.memory import memory_storage
from hmar.adapters.sql.storage import storage_of
from hmar.errors import ConfigError
from hmar.ports import Storage
from hmar.values.damage import Sealed, SealedTable
from hmar.values.deletion import Selector
from hmar.values.patients import next_key
from tests.contract.conftest import STORES
from tests.contract.examples import MODEL, ORIGIN, encoded


@pytest.fixture(params=STORES)
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "memory":
        return memory_storage()
    return storage_of(request.getfixturevalue(request.param))


def test_an_empty_store_is_intact(storage: Storage) -> None:
    integrity = storage.integrity
    assert integrity.store_problems() == []
    assert integrity.check_entries(0, 10) is None
    assert integrity.check_log().intact
    assert integrity.damaged_rows() == []
    assert not integrity.holds_patient_keys()


def test_what_is_written_and_deleted_is_intact_and_a_repair_changes_nothing(storage: Storage) -> None:
    integrity, catalogue = storage.integrity, storage.catalogue
    catalogue.append("default", [encoded("1.1"), encoded("1.2", series_uid="9"), encoded("1.3")], ORIGIN)
    catalogue.delete(Selector("series", "9"), None)
    before = [(row.seq, row.kind, row.mark) for row in catalogue.tail(0, 10)]
    integrity.mend_store()
    assert integrity.take_out([1, 2, 3, 99]) == 0
    assert integrity.mend_log() == 0
    assert all((integrity.seal(table, 0, 10) or Sealed(0, 0)).rows == 0 for table in get_args(SealedTable))
    integrity.forget_damaged([1])
    assert [(row.seq, row.kind, row.mark) for row in catalogue.tail(0, 10)] == before
    first = integrity.check_entries(0, 1)
    assert first is not None
    assert (first.checked, first.last_id, first.unsealed, first.damaged) == (1, 1, 0, ())
    second = integrity.check_entries(1, 10)
    assert second is not None
    assert (second.checked, second.last_id) == (1, 3)
    seen: list[int] = []
    log = integrity.check_log(seen.append)
    assert (log.rows, log.unsealed, log.intact) == (4, 0, True)
    assert seen[-1] == 4


def test_patient_keys_are_noticed(storage: Storage) -> None:
    storage.catalogue.append("default", [encoded("1.1", patient_key=None)], ORIGIN)
    assert not storage.integrity.holds_patient_keys()
    storage.catalogue.append("default", [encoded("1.2")], ORIGIN)
    assert storage.integrity.holds_patient_keys()


def test_check_values_are_kept_and_replaced(storage: Storage) -> None:
    integrity = storage.integrity
    assert integrity.secret_check("patient") is None
    integrity.keep_secret_check("patient", "a" * 64)
    integrity.keep_secret_check("session", "b" * 64)
    integrity.keep_secret_check("patient", "c" * 64)
    assert integrity.secret_check("patient") == "c" * 64
    assert integrity.secret_check("session") == "b" * 64


def test_a_rotation_gives_each_patient_the_next_key_in_rows_that_are_intact(storage: Storage) -> None:
    integrity, catalogue, step = storage.integrity, storage.catalogue, b"s" * 32
    anonymous = encoded("1.3", patient_key=None)
    catalogue.append("default", [encoded("1.1"), encoded("1.2", patient_key="b" * 32), anonymous], ORIGIN)
    catalogue.delete(Selector("instance", "1.2"), None)
    before, marks = catalogue.patient_keys(MODEL), catalogue.marks(0, 10)
    try:
        rotated = integrity.rotate_patients(step, "c" * 64, None)
    except ConfigError:  # what is in memory is gone with its secret
        assert storage.catalogue.patient_keys(MODEL) == before
        return
    assert rotated == 1
    assert catalogue.patient_keys(MODEL) == {next_key(key, step) for key in before}
    assert integrity.secret_check("patient") == "c" * 64
    assert not set(catalogue.marks(0, 10)) & set(marks)
    checked = integrity.check_entries(0, 10)
    assert checked is not None
    assert (checked.checked, checked.damaged) == (2, ())
    assert integrity.check_log().intact


def test_a_copy_is_written_where_there_is_a_file_to_copy(storage: Storage, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    try:
        written = storage.copies.copy(target, lambda _done, _total: None)
    except ConfigError:
        written = False
    assert target.exists() == written
    assert storage.copies.revision()
