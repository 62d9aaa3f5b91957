"""Large catalogues are what the product writes, and rows become the figures that it computes with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmark.sizing.catalogue import STUDY_FRAMES, fill, study_infos, study_uid
from benchmark.sizing.gather import gathered, read_rows
from benchmark.sizing.indexing import REST, measure_indexing
from benchmark.sizing.plots import draw_curves
from benchmark.sizing.run import measure_filled
from benchmark.speed.phantom import phantom_file
from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.errors import ParameterError
from hmar.library.integrity import Integrity, finding_of
from hmar.sizing.estimate import Wanted, estimate
from hmar.sizing.figures import Figures, shipped_figures
from hmar.values.findings import State
from hmar.wiring import build_engine

FRAMES, WINDOWS = STUDY_FRAMES + 50, 3
MADE_IN = {"commit": "abc", "time": "2026-12-01", "machine": {"processor": "p", "cores": 2}}


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


def rows() -> list[dict[str, Any]]:
    size = {"frames": 1000, "windows": 650_000, "environment": MADE_IN}
    return [
        {**size, "part": "bytes", "name": "bytes of the database", "bytes": 15_000_000},
        {**size, "part": "bytes", "name": "bytes of a snapshot", "bytes": 13_000_000},
        {**size, "part": "starting", "name": "index all of the log", "processor_s": 0.2, "seconds": 9.0},
        {**size, "part": "scan", "name": "memory at rest, 1 process", "held_bytes": 5e6, "start_s": 0.02},
        {**size, "part": "scan", "name": "a", "threads": 2, "bits": 128, "query_windows": 9, "p50_ms": 2.0},
        {**size, "part": "indexing", "name": "one", "windows_mean": 650.0, "windows_quartiles": [600, 700]},
        {
            "part": "pacs",
            "name": "pull",
            "peer_memory_mib": {"worker": 200, "web server": 300, "decoders": 80},
            "peer_per_s": 30.0,
            "environment": MADE_IN,
        },
        {"part": "seen", "name": "POST, a new frame", "processor_ms": 29.0, "environment": MADE_IN},
        {"part": "kan", "name": "of another benchmark", "environment": MADE_IN},
    ]


def test_rows_become_figures(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows()), "utf-8")
    figures = gathered(read_rows([file]))
    assert Figures.from_dict(json.loads(json.dumps(figures.to_dict()))) == figures
    found = estimate(Wanted(1000), figures)
    assert found.database_gib.value * (1 << 30) == pytest.approx(15_000_000)
    assert found.rebuild_s.value == pytest.approx(0.2)
    assert found.search_ms.value == pytest.approx(31)
    assert [source.commit for source in figures.sources] == ["abc"]


@pytest.mark.parametrize("left_out", ["bytes of a snapshot", "memory at rest, 1 process", "a", "one", "pull"])
def test_a_figure_that_no_row_tells_is_named(left_out: str) -> None:
    kept = [row for row in rows() if row["name"] != left_out]
    with pytest.raises(ParameterError, match="do not tell"):
        gathered(kept)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("no rows", "utf-8")
    with pytest.raises(ParameterError, match="holds no rows"):
        read_rows([tmp_path / "none"])


def test_curves_are_drawn_the_same_every_time(tmp_path: Path) -> None:
    first, second = (_drawn(tmp_path / name) for name in ("a", "b"))
    assert first == second
    assert all(text.lstrip().startswith("<?xml") and "frames" in text for text in first)


def _drawn(folder: Path) -> Sequence[str]:
    return [path.read_text("utf-8") for path in draw_curves(shipped_figures(), folder)]
