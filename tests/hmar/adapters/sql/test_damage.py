"""A row that is not what was written is never believed, and stops nothing."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.integrity import SqlIntegrity
from hmar.adapters.sql.rows import entry_row
from hmar.adapters.sql.schema import counter, entries, log
from hmar.adapters.sql.seals import CODE_COLUMNS
from hmar.adapters.sql.slabs import SqlSlabStore
from hmar.errors import HmarError
from hmar.relabelling import relabel
from hmar.values.codes import EncodedFrame
from hmar.values.damage import Sealed
from hmar.values.deletion import Selector
from hmar.values.entries import Appended
from tests.contract.examples import MODEL, ORIGIN, encoded
from tests.hmar.adapters.sql.damage import flip_bit, flip_value

ENTRY_COLUMNS = [column.name for column in entries.columns if column.name != "entry_id"]
LOG_COLUMNS = [column.name for column in log.columns if column.name != "seq"]


class Rig:
    """Three frames of a series, the second of which gets damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = Database(f"sqlite:///{path}")
        self.database.migrate()
        self.catalogue = SqlCatalogue(self.database)
        self.integrity = SqlIntegrity(self.database)
        self.frames = [encoded(f"1.{number}") for number in (1, 2, 3)]
        self.catalogue.append("default", self.frames, ORIGIN)

    def damaged(self) -> tuple[int, ...]:
        checked = self.integrity.check_entries(0, 100)
        return () if checked is None else checked.damaged

    def live(self) -> set[int]:
        return {row.entry_id for row in self.catalogue.tail(0, 100) if row.encoded is not None}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "catalogue.db")
    with closing(rig.database):
        yield rig


def flip_entry(rig: Rig, column: str) -> None:
    flip_value(rig.path, "entries", column, "entry_id = 2")


@pytest.mark.parametrize("column", ENTRY_COLUMNS)
def test_one_bit_in_any_column_of_an_entry_is_told_and_only_that_entry_is_left_out(
    rig: Rig, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    flip_entry(rig, column)
    with caplog.at_level(logging.ERROR):
        assert rig.live() == {1, 3}
        assert rig.live() == {1, 3}
    assert len(caplog.messages) == 1
    assert "(2)" in caplog.text
    assert not {"0123456789abcdef", "1.2.9"} & set(caplog.text.split())
    assert rig.damaged() == (2,)


@pytest.mark.parametrize("column", [name for name in ENTRY_COLUMNS if name not in CODE_COLUMNS])
def test_no_reader_believes_damaged_metadata(rig: Rig, column: str) -> None:
    flip_entry(rig, column)
    assert set(rig.catalogue.entries([1, 2, 3])) == {1, 3}
    assert rig.catalogue.find("1.2", MODEL) == []
    assert [e.entry_id for e in rig.catalogue.frames("default", "1.2.9", MODEL)] == [1, 3]
    assert {s.series_uid for s in rig.catalogue.series(MODEL)} == {"1.2.9"}


@pytest.mark.parametrize("column", ["modality", "study_date", "manufacturer", "row_digest"])
def test_a_series_is_listed_although_its_first_frame_is_damaged(rig: Rig, column: str) -> None:
    flip_value(rig.path, "entries", column, "entry_id = 1")
    [series] = rig.catalogue.series(MODEL)
    assert (series.series_uid, series.modality, series.frames) == ("1.2.9", "CT", 2)


@pytest.mark.parametrize("column", ENTRY_COLUMNS)
def test_a_damaged_entry_is_taken_out_by_name_and_comes_back_when_it_is_appended(
    rig: Rig, column: str
) -> None:
    flip_entry(rig, column)
    assert rig.integrity.take_out([1, 2, 3]) == 1
    assert rig.integrity.take_out([1, 2, 3]) == 0
    [row] = rig.integrity.damaged_rows()
    assert row.entry_id == 2
    assert rig.damaged() == ()
    assert rig.integrity.check_log().intact
    assert [(r.kind, r.entry_id) for r in rig.catalogue.tail(3, 9)] == [("delete", 2)]
    assert rig.catalogue.append("default", rig.frames, ORIGIN) == Appended(1, 2)
    assert rig.live() == {1, 3, 5}
    # What names a frame may be what is damaged: such a row waits for someone who knows.
    named = {"sop_instance_uid", "frame_number", "model_fingerprint"}
    assert [r.entry_id for r in rig.integrity.damaged_rows()] == ([2] if column in named else [])
    rig.integrity.forget_damaged([2])
    assert rig.integrity.damaged_rows() == []


def test_a_frame_that_is_appended_takes_the_place_of_its_damaged_row(rig: Rig) -> None:
    flip_entry(rig, "rows")
    assert rig.catalogue.append("default", rig.frames, ORIGIN) == Appended(1, 2)
    assert rig.live() == {1, 3, 5}
    assert rig.integrity.damaged_rows() == []
    assert rig.integrity.check_log().intact


@pytest.mark.parametrize("column", ["series_uid", "sop_instance_uid", "study_uid"])
@pytest.mark.parametrize("taken_out", [False, True])
def test_what_is_deleted_does_not_come_back_although_its_uid_was_damaged(
    rig: Rig, column: str, taken_out: bool
) -> None:
    flip_entry(rig, column)
    if taken_out:
        rig.integrity.take_out([2])
    rig.catalogue.delete(Selector("series", "1.2.9"))
    assert rig.live() == set()
    assert rig.integrity.damaged_rows() == []
    assert rig.integrity.check_log().intact


@pytest.mark.parametrize("column", LOG_COLUMNS)
def test_one_bit_in_any_column_of_the_log_is_told_and_its_entry_still_counts(
    rig: Rig, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    flip_value(rig.path, "log", column, "seq = 2")
    assert rig.live() == {1, 2, 3}
    assert "rows of the log" in caplog.text
    assert rig.integrity.check_log().damaged == 1
    assert rig.integrity.mend_log() == 1
    assert rig.integrity.check_log().intact
    assert rig.live() == {1, 2, 3}


def test_a_relabelled_row_is_sealed_and_a_damaged_one_is_left(rig: Rig) -> None:
    flip_entry(rig, "window_codes")
    assert rig.catalogue.relabel(Selector("series", "1.2.9"), "new") == 2
    assert rig.damaged() == (2,)
    assert rig.live() == {6, 7}
    assert {entry.info.label for entry in rig.catalogue.entries([6, 7]).values()} == {"new"}
    assert rig.integrity.check_log().intact
    assert rig.catalogue.relabel(Selector("series", "1.2.9"), "new") == 0


def test_a_frame_that_was_taken_out_comes_back_with_its_new_label(rig: Rig) -> None:
    flip_entry(rig, "window_codes")
    assert rig.integrity.take_out([2]) == 1
    assert relabel(rig.catalogue, {Selector("instance", "1.2"): "new"}, "default").unknown == ("1.2",)
    assert [row.label for row in rig.integrity.damaged_rows()] == ["new"]


@pytest.mark.parametrize("column", LOG_COLUMNS)
def test_a_damaged_change_is_left_out_and_passed_over(
    rig: Rig, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    flip_value(rig.path, "log", column, "seq = 2")
    found = rig.catalogue.changes(0, 2)
    assert ([change.seq for change in found.changes], found.last_seq) == ([1], 2)
    assert "Damaged rows of the log: 1 (2)" in caplog.text
    assert [change.seq for change in rig.catalogue.changes(2, 2).changes] == [3]


def test_a_page_of_studies_with_a_damaged_one_is_not_the_last(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'catalogue.db'}")) as database:
        database.migrate()
        catalogue = SqlCatalogue(database)
        frames = [encoded(f"1.{number}", study_uid=f"t{number}") for number in (1, 2, 3)]
        catalogue.append("default", frames, ORIGIN)
        flip_value(tmp_path / "catalogue.db", "entries", "modality", "entry_id = 2")
        first = catalogue.studies(MODEL, limit=2)
        assert ([study.study_uid for study in first.studies], first.more) == (["t1"], True)
        rest = catalogue.studies(MODEL, offset=2, limit=2)
        assert ([study.study_uid for study in rest.studies], rest.more) == (["t3"], False)


def test_a_change_of_a_damaged_frame_says_nothing_of_it(rig: Rig) -> None:
    flip_entry(rig, "sop_instance_uid")
    assert [change.entry is None for change in rig.catalogue.changes(0, 9).changes] == [False, True, False]


@pytest.mark.parametrize("column", LOG_COLUMNS)
def test_a_damaged_delete_is_logged_again(rig: Rig, column: str) -> None:
    rig.catalogue.delete(Selector("series", "1.2.9"), "default")
    flip_value(rig.path, "log", column, "seq = 5")
    assert rig.integrity.check_log().damaged == 1
    rig.integrity.mend_log()
    assert rig.integrity.check_log().intact
    deleted = [row.entry_id for row in rig.catalogue.tail(0, 99) if row.kind == "delete"]
    assert set(deleted) >= {1, 2, 3}


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_lost_row_of_the_log_is_told_and_written_anew(
    rig: Rig, seq: int, caplog: pytest.LogCaptureFixture
) -> None:
    with rig.database.write() as connection:
        connection.execute(delete(log).where(log.c.seq == seq))
    assert rig.live() == {1, 2, 3} - {seq}
    assert ("Gaps in the log" in caplog.text) == (seq < 3)
    checked = rig.integrity.check_log()
    assert (checked.lost, checked.unlogged) == (1, 1)
    rig.integrity.mend_log()
    assert rig.integrity.check_log().intact
    assert rig.live() == {1, 2, 3}


def test_an_entry_that_vanished_is_told_and_logged_as_deleted(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with rig.database.write() as connection:
        connection.execute(delete(entries).where(entries.c.entry_id == 2))
    assert rig.live() == {1, 3}
    assert rig.live() == {1, 3}
    assert [
        message for message in caplog.messages if "Vanished entries: 1 (2)." in message
    ] == caplog.messages
    assert len(caplog.messages) == 1
    assert rig.integrity.check_log().vanished == (2,)
    rig.integrity.mend_log()
    assert rig.integrity.check_log().intact
    assert [(r.kind, r.entry_id) for r in rig.catalogue.tail(3, 9)] == [("delete", 2)]


def test_an_entry_that_was_deleted_did_not_vanish(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.catalogue.delete(Selector("series", "1.2.9"))
    assert rig.live() == set()
    assert caplog.messages == []


@pytest.mark.parametrize("bit", [0, 1, 2, 40])
def test_a_damaged_counter_is_told_and_set_right(rig: Rig, bit: int) -> None:
    with rig.database.write() as connection:
        connection.execute(update(counter).values(value=3 ^ (1 << bit)))
    assert not rig.integrity.check_log().intact
    rig.integrity.mend_log()
    assert rig.integrity.check_log().intact
    assert rig.catalogue.append("default", [encoded("1.4")], ORIGIN) == Appended(1, 0)
    assert rig.live() >= {1, 2, 3}


def test_rows_of_an_older_version_are_taken_as_they_are_counted_and_sealed(rig: Rig) -> None:
    with rig.database.write() as connection:
        for table in (entries, log):
            connection.execute(update(table).values(row_digest=None))
        connection.execute(update(entries).values(code_digest=None))
    assert rig.live() == {1, 2, 3}
    checked = rig.integrity.check_entries(0, 10)
    assert checked is not None
    assert (checked.unsealed, checked.damaged, rig.integrity.check_log().unsealed) == (3, (), 3)
    assert rig.integrity.seal("entries", 0, 2) == Sealed(2, 2)
    assert rig.integrity.seal("entries", 2, 2) == Sealed(1, 3)
    assert rig.integrity.seal("entries", 3, 2) is None
    assert rig.integrity.seal("log", 0, 9) == Sealed(3, 3)
    assert rig.integrity.seal("log", 0, 9) == Sealed(0, 3)
    assert rig.integrity.check_log().unsealed == 0
    assert rig.damaged() == ()
    flip_entry(rig, "window_codes")
    assert rig.damaged() == (2,)


def test_a_row_of_an_older_version_that_is_no_row_stops_nothing(rig: Rig) -> None:
    row = entry_row(4, "default", encoded("1.4"), ORIGIN) | {"window_ids": b"\1\2\3"}
    with rig.database.write() as connection:
        connection.execute(insert(entries), row)
        connection.execute(update(counter).values(value=4))
    rig.integrity.mend_log()
    assert rig.live() == {1, 2, 3}
    assert rig.damaged() == (4,)
    assert rig.integrity.take_out([4]) == 1


def test_a_zero_with_a_sign_and_a_value_that_is_no_number_are_no_damage(rig: Rig) -> None:
    frame = encoded("1.9", position=(-0.0, float("nan"), 2), pixel_aspect=1)
    rig.catalogue.append("default", [frame], ORIGIN)
    assert rig.damaged() == ()
    assert rig.live() == {1, 2, 3, 4}


def test_entries_are_checked_page_by_page(rig: Rig) -> None:
    first = rig.integrity.check_entries(0, 2)
    assert first is not None
    assert (first.checked, first.last_id) == (2, 2)
    second = rig.integrity.check_entries(first.last_id, 2)
    assert second is not None
    assert (second.checked, second.last_id) == (1, 3)
    assert rig.integrity.check_entries(3, 2) is None


def stored(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("entries", "log", "counter")
        ]


def found(path: Path) -> bool:
    """Return whether anything is told of a database, be it that it cannot be opened."""
    try:
        with closing(Database(f"sqlite:///{path}")) as database:
            database.migrate()
            integrity = SqlIntegrity(database)
            if integrity.store_problems() or not integrity.check_log().intact:
                return True
            checked = integrity.check_entries(0, 1000)
            return checked is None or checked.checked != 3 or bool(checked.damaged)
    except HmarError:
        return True


@pytest.mark.slow
def test_one_bit_in_any_page_of_the_file_is_told_or_changes_no_row(rig: Rig, tmp_path: Path) -> None:
    with rig.database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    copy = tmp_path / "copy.db"
    rig.database.copy(copy, lambda _done, _total: None)
    whole, rows = copy.read_bytes(), stored(copy)
    told = 0
    written = [8 * place + 5 for place, byte in enumerate(whole) if byte]
    for place in written[:: len(written) // 101]:
        flip_bit(copy, place)
        if found(copy):
            told += 1
        else:
            assert stored(copy) == rows, place
        for suffix in ("-wal", "-shm"):
            copy.with_name(f"copy.db{suffix}").unlink(missing_ok=True)
        copy.write_bytes(whole)
    assert told > 10


def stacked(number: int) -> EncodedFrame:
    return encoded(f"2.{number}", series_uid="2", stack="0123456789abcdef", along_mm=number + 0.5)


@pytest.mark.parametrize("column", ["window_codes", "along_mm", "series_description"])
def test_another_slice_stands_for_the_slab_of_a_damaged_one_that_is_taken_out(rig: Rig, column: str) -> None:
    SqlSlabStore(rig.database).change("slabs", 3.0)
    rig.catalogue.append("slabs", [stacked(number) for number in range(3)], ORIGIN)
    [middle] = rig.catalogue.find("2.1", MODEL)
    flip_value(rig.path, "entries", column, f"entry_id = {middle.entry_id}")
    assert rig.integrity.take_out([middle.entry_id]) == 1
    kept = [row.encoded for row in rig.catalogue.tail(middle.entry_id, 100) if row.encoded is not None]
    windows = {frame.info.sop_instance_uid: len(frame.window_codes) for frame in kept}
    assert windows["2.0"]
    rig.catalogue.append("slabs", [stacked(1)], ORIGIN)
    kept = [row.encoded for row in rig.catalogue.tail(middle.entry_id, 100) if row.encoded is not None]
    windows = {frame.info.sop_instance_uid: len(frame.window_codes) for frame in kept}
    assert [uid for uid, count in windows.items() if count] == ["2.1"]


@pytest.mark.parametrize("along_mm", ["'far'", "NULL"])
def test_a_slice_whose_place_cannot_be_read_keeps_no_other_from_its_slab(rig: Rig, along_mm: str) -> None:
    slabs = SqlSlabStore(rig.database)
    rig.catalogue.append("slabs", [stacked(number) for number in range(3)], ORIGIN)
    [last] = rig.catalogue.find("2.2", MODEL)
    with closing(sqlite3.connect(rig.path)) as connection, connection:
        connection.execute(f"UPDATE entries SET along_mm = {along_mm} WHERE entry_id = {last.entry_id}")
    assert slabs.change("slabs", 3.0) == 1
    rig.catalogue.append("slabs", [stacked(3)], ORIGIN)
