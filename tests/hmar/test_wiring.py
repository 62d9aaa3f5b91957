"""The composition root: what the settings choose, and an archive that is in memory alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmar.config import IN_MEMORY, INLINE, Settings
from hmar.errors import ModelError, UnavailableError
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import Origin
from hmar.values.identity import administrator
from hmar.values.jobs import JobState
from hmar.values.models import ModelName
from hmar.values.selection import Selection
from hmar.wiring import Engine, build_engine
from tests.phantoms import ct_file


def indexed(engine: Engine, files: int) -> JobState:
    references = [engine.uploads.put(ct_file(1, number)) for number in range(1, files + 1)]
    job = engine.jobs.job(engine.indexer.submit("default", Origin("upload", ""), references))
    assert job is not None
    return job.state


def found(engine: Engine) -> list[int]:
    frame = engine.decoder.open(ct_file(1, 1)).frame(1)
    return [hit.entry.entry_id for hit in engine.searcher.image(frame, 9, "global", Selection())]


@pytest.mark.slow
def test_an_archive_in_memory_indexes_and_answers_and_writes_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "never-made", database_url=IN_MEMORY).checked()
    engine, other = (build_engine(settings, ThumbnailEncoder()) for _ in range(2))
    assert indexed(engine, files=3) is JobState.DONE
    engine.index.snapshot()
    engine.index.check()
    assert sorted(found(engine)) == [1, 2, 3]
    assert engine.keys.verify(engine.keys.create(administrator("tests"))) == administrator("tests")
    assert found(other) == []
    assert engine.secrets != other.secrets
    engine.close()
    assert not settings.home.exists()


@pytest.mark.slow
def test_jobs_of_a_database_may_be_done_inline(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, redis_url=INLINE).checked()
    engine = build_engine(settings, ThumbnailEncoder())
    assert indexed(engine, files=2) is JobState.DONE
    engine.close()
    again = build_engine(settings, ThumbnailEncoder())
    assert sorted(found(again)) == [1, 2]
    again.close()


def test_without_a_broker_there_is_no_way_to_the_workers(tmp_path: Path) -> None:
    engine = build_engine(Settings(home=tmp_path).checked(), ThumbnailEncoder())
    with pytest.raises(UnavailableError, match="HMAR_REDIS_URL is empty"):
        _ = engine.queue


def test_closing_an_engine_builds_nothing(tmp_path: Path) -> None:
    build_engine(Settings(home=tmp_path).checked()).close()
    assert [path.name for path in tmp_path.iterdir()] == ["import"]


def test_a_model_that_is_handed_over_comes_before_the_one_that_the_archive_records(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, redis_url=INLINE, model_dir="thumbnail").checked()
    engine = build_engine(settings, ThumbnailEncoder())
    engine.models.use(ModelName("f" * 32, "nowhere"))
    assert engine.follow() is None
    assert engine.encoder.name == ThumbnailEncoder.name
    engine.close()
    following = build_engine(settings)
    with pytest.raises(ModelError, match="hmar models install"):
        _ = following.encoder
    following.close()


def test_the_parts_of_a_search_change_together(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, redis_url=INLINE, model_dir="thumbnail").checked()
    engine = build_engine(settings)
    before = engine.serving
    shipped = engine.known_models.named("hmar-ct-128")
    engine.models.use(shipped)
    assert engine.serving is before
    taken = engine.follow()
    assert engine.serving is taken
    assert taken is not None
    models = {taken.encoder.fingerprint, taken.index.stats().model_fingerprint}
    assert models == {shipped.fingerprint}
    assert before.index.stats().model_fingerprint == before.encoder.fingerprint != shipped.fingerprint
    engine.close()
