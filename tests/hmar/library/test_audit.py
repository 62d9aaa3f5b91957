"""Damaged rows come back from their files, in their collection, with their label and their given patient."""

from __future__ import annotations

import logging
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hmar.adapters.memory import InlineQueue
from hmar.config import KEEP_BOTH, Settings
from hmar.library.audit import Repaired, audit_entries, repair
from hmar.library.index_job import run_job
from hmar.library.integrity import patient_remedy
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.deletion import Selector
from hmar.values.entries import EntryInfo, Origin
from hmar.values.references import reference_of
from hmar.wiring import Engine, build_engine
from tests.hmar.adapters.sql.damage import flip_value
from tests.phantoms import ct_file
from workers.audit import audit_if_due

COLUMNS = (
    "collection",
    "label",
    "model_fingerprint",
    "origin_reference",
    "origin_source",
    "row_digest",
    "sop_instance_uid",
    "window_codes",
)
"""One of each kind; that a bit in any column is told is tested over the database."""
LOST = {"origin_source", "origin_reference", "model_fingerprint"}
"""Without these nobody knows what to read again, or with what."""


class Rig:
    """Two files indexed with a label, and one that was sent."""

    def __init__(self, folder: Path) -> None:
        self.images = folder / "images"
        self.images.mkdir()
        for number in (1, 2):
            (self.images / f"{number}.dcm").write_bytes(ct_file(1, number))
        self.settings = Settings(home=folder / "home", model_dir="thumbnail").checked()
        queue = InlineQueue()
        with closing(build_engine(self.settings, ThumbnailEncoder(), queue)) as engine:
            run_job(engine, queue, "ct", Origin("local", str(self.images)), label="mine")
            run_job(engine, queue, "sent", Origin("upload", ""), [ct_file(1, 3)])

    def engine(self) -> Engine:
        return build_engine(self.settings, ThumbnailEncoder(), InlineQueue())

    def flip(self, column: str, entry_id: int = 2) -> None:
        flip_value(self.settings.home / "catalogue.db", "entries", column, f"entry_id = {entry_id}")

    def repair(self) -> Repaired:
        with closing(self.engine()) as engine:
            integrity = engine.storage.integrity
            return repair(engine, audit_entries(integrity), integrity.check_log())

    def frames(self) -> list[EntryInfo]:
        with closing(self.engine()) as engine:
            found = engine.catalogue.entries(range(1, 100)).values()
            assert engine.storage.integrity.check_log().intact
        return sorted(
            (replace(entry, entry_id=0) for entry in found), key=lambda entry: entry.info.sop_instance_uid
        )


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS)
def test_a_row_with_a_bit_wrong_in_any_column_comes_back_from_its_file(rig: Rig, column: str) -> None:
    before = rig.frames()
    rig.flip(column)
    done = rig.repair()
    assert done.taken_out == 1
    if column in LOST:
        assert [row.entry_id for row in done.waiting] == [2]
        assert [entry for entry in before if entry in rig.frames()] == rig.frames()
        return
    assert [row.entry_id for row in done.back] == [2]
    assert done.waiting == ()
    assert rig.frames() == before


@pytest.mark.slow
@pytest.mark.parametrize("column", ["window_codes", "rows"])
def test_a_frame_that_got_another_label_comes_back_with_that(rig: Rig, column: str) -> None:
    with closing(rig.engine()) as engine:
        [entry] = engine.catalogue.entries([2]).values()
        assert engine.catalogue.relabel(Selector("instance", entry.info.sop_instance_uid), "proven") == 1
        newest = engine.catalogue.last_seq()
    before = rig.frames()
    rig.flip(column, newest)
    assert len(rig.repair().back) == 1
    assert rig.frames() == before


@pytest.mark.slow
def test_a_damaged_frame_that_gets_another_label_comes_back_with_that(rig: Rig) -> None:
    rig.flip("window_codes")
    with closing(rig.engine()) as engine:
        assert engine.storage.integrity.take_out([2]) == 1
        [row] = engine.storage.integrity.damaged_rows()
        engine.catalogue.relabel(Selector("instance", row.sop_instance_uid), "proven")
    assert len(rig.repair().back) == 1
    assert [entry.info.label for entry in rig.frames()] == ["mine", "proven", None]


@pytest.mark.slow
def test_an_upload_comes_back_and_a_file_that_is_gone_is_named(rig: Rig) -> None:
    before = rig.frames()
    rig.flip("window_codes", 3)
    rig.flip("rows", 1)
    (rig.images / "1.dcm").rename(rig.images / "away")
    done = rig.repair()
    assert (len(done.back), len(done.waiting)) == (1, 1)
    assert done.waiting[0].sop_instance_uid == before[0].info.sop_instance_uid
    (rig.images / "away").rename(rig.images / "1.dcm")
    assert rig.repair().waiting == ()
    assert rig.frames() == before


@pytest.mark.slow
def test_a_worker_audits_once_a_day_names_entries_and_no_patient(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    before, running = rig.frames(), threading.Event()
    rig.flip("label")
    repaired = audit_if_due(rig.settings, running, pause_s=0)
    assert repaired is not None
    assert len(repaired.back) == 1
    assert rig.frames() == before
    assert "1 damaged entries (2)" in caplog.text
    assert str(rig.images) not in caplog.text
    caplog.clear()
    rig.flip("label", 1)
    with caplog.at_level(logging.ERROR):
        assert audit_if_due(rig.settings, running, pause_s=0) is None


@pytest.mark.slow
def test_a_row_comes_back_for_the_patient_that_was_last_given_with_its_file(tmp_path: Path) -> None:
    rig, patient = Rig(tmp_path), "5" * 32
    film = rig.images / "film.png"
    Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(film)
    reference = reference_of(film)
    for given in ("4" * 32, patient):
        queue = InlineQueue()
        with closing(build_engine(rig.settings, ThumbnailEncoder(), queue)) as engine:
            found = engine.catalogue.delete(Selector("patient", "4" * 32))
            assert found.extent.frames == (given == patient)
            run_job(
                engine,
                queue,
                "films",
                Origin("local", ""),
                references=[reference],
                patients={reference: given},
            )
    before = rig.frames()
    assert [entry.info.patient_key for entry in before if entry.collection == "films"] == [patient]
    rig.flip("patient_key", 6)
    assert [row.origin.reference for row in rig.repair().back] == [reference]
    assert rig.frames() == before


def films_of(folder: Path, *patients: str | None) -> Rig:
    """Return a rig with one more file, indexed for several patients side by side: entries 4 and following."""
    rig = Rig(folder)
    rig.settings = replace(rig.settings, same_uid=KEEP_BOTH).checked()
    film = rig.images / "film.png"
    Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(film)
    reference = reference_of(film)
    for patient in patients:
        give(rig, reference, patient)
    return rig


def give(rig: Rig, reference: str, patient: str | None) -> None:
    queue, origin = InlineQueue(), Origin("local", "")
    given = {} if patient is None else {reference: patient}
    with closing(build_engine(rig.settings, ThumbnailEncoder(), queue)) as engine:
        run_job(engine, queue, "films", origin, references=[reference], patients=given)


ONE, OTHER = "4" * 32, "5" * 32


@pytest.mark.slow
@pytest.mark.parametrize("damaged", [[4], [5], [4, 5]])
def test_frames_of_one_file_for_two_patients_come_back_for_theirs(tmp_path: Path, damaged: list[int]) -> None:
    rig = films_of(tmp_path, ONE, OTHER)
    before = rig.frames()
    assert {entry.info.patient_key for entry in before if entry.collection == "films"} == {ONE, OTHER}
    for entry_id in damaged:
        rig.flip("window_codes", entry_id)
    done = rig.repair()
    assert ([row.entry_id for row in done.back], done.waiting) == (damaged, ())
    assert rig.frames() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("patients", "column"), [((ONE, OTHER), "patient_key"), ((None, ONE), "window_codes")]
)
def test_a_frame_waits_where_nobody_knows_whose_it_is_and_comes_back_when_somebody_says_so(
    tmp_path: Path, patients: tuple[str | None, str], column: str
) -> None:
    rig = films_of(tmp_path, *patients)
    before = rig.frames()
    rig.flip(column, 4)
    for _ in range(2):
        done = rig.repair()
        assert done.back == ()
        [row] = done.waiting
        assert (row.entry_id, row.patient_unknown) == (4, True)
        assert "hmar index --labels" in patient_remedy(done.waiting)
        assert rig.frames() == [entry for entry in before if entry.info.patient_key != patients[0]]
    give(rig, row.origin.reference, patients[0])
    assert rig.repair().waiting == ()
    assert rig.frames() == before


@pytest.mark.slow
def test_no_frame_takes_the_name_of_one_whose_patient_is_not_known(tmp_path: Path) -> None:
    rig = films_of(tmp_path, ONE, OTHER)
    rig.flip("patient_key", 4)
    rig.flip("window_codes", 5)
    done = rig.repair()
    assert [(row.entry_id, row.patient_unknown) for row in done.waiting] == [(4, True), (5, False)]


def test_an_audit_ends_when_it_is_stopped(rig: Rig) -> None:
    with closing(rig.engine()) as engine:
        assert audit_entries(engine.storage.integrity, stopped=lambda: True).checked == 0
