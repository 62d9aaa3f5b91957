"""Large catalogues are what the product writes, and what is asked of them is timed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmark.sizing.catalogue import STUDY_FRAMES, fill, study_infos, study_uid
from benchmark.sizing.indexing import REST, measure_indexing
from benchmark.sizing.run import measure_filled
from benchmark.speed.phantom import phantom_file
from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.library.integrity import Integrity, finding_of
from hmar.values.findings import State
from hmar.wiring import build_engine

FRAMES, WINDOWS = STUDY_FRAMES + 50, 3


def told(*_: object) -> None:
    """Show no progress."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", model_dir="thumbnail").checked()


@pytest.fixture
def filled(settings: Settings) -> Settings:
    with closing(build_engine(settings, None, InlineQueue())) as engine:
        _ = engine.secrets  # frames of patients without a secret are not an archive's
        fill(engine.catalogue, FRAMES, WINDOWS, engine.encoder.fingerprint, told)
    return settings


def test_a_catalogue_passes_the_products_own_checks_and_is_found(filled: Settings) -> None:
    with closing(build_engine(filled, None, InlineQueue())) as engine:
        for part, check in Integrity(told, names=False).checks().items():
            assert finding_of(part, check, engine).state is State.OK, part
        assert engine.searcher.refresh() == FRAMES
        stats = engine.index.stats()
        assert (stats.frames, stats.windows) == (FRAMES, FRAMES * WINDOWS)
        listed = engine.catalogue.studies(engine.encoder.fingerprint).studies
        assert [one.study_uid for one in listed] == [study_uid(0), study_uid(1)]


def test_frames_of_a_study_are_all_different_and_of_one_patient() -> None:
    infos = study_infos(7)
    assert len({info.sop_instance_uid for info in infos}) == STUDY_FRAMES
    assert len({info.patient_key for info in infos}) == 1
    assert len({info.series_uid for info in infos}) == 2


def test_every_operation_is_timed_on_a_catalogue_that_stays(filled: Settings) -> None:
    rows = measure_filled(filled, FRAMES, WINDOWS, told)
    gave = {str(row["name"]): row.get("gave") for row in rows}
    assert gave["first page of studies"] == "2 studies"
    assert gave["frames of a series"] == "50 frames"
    assert gave["delete a study"] == f"{STUDY_FRAMES} frames"
    assert gave["start from the snapshot"] == "0 rows of the log"
    assert gave["verify: rows"] == "ok"
    assert all(row["frames"] == FRAMES and row["windows"] == FRAMES * WINDOWS for row in rows)
    with closing(build_engine(filled, None, InlineQueue())) as engine:
        assert engine.models.frames() == {engine.encoder.fingerprint: FRAMES}


def test_the_stages_of_indexing_are_all_that_it_takes(tmp_path: Path, settings: Settings) -> None:
    files = []
    for number in range(8):
        files.append(tmp_path / f"{number}.dcm")
        files[-1].write_bytes(phantom_file(number, 64))
    [row] = measure_indexing(settings, files, told)
    stages: Any = row["stage_ms"]
    assert row["frames"] == 3
    assert stages[REST] > 0
    assert sum(stages.values()) == pytest.approx(row["processor_ms"], abs=0.1)
