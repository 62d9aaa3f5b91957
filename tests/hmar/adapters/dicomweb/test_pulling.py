"""Index jobs over a PACS: a misbehaving one of a test, and a real Orthanc."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hmar import contents, spool
from hmar.adapters.common import files
from hmar.config import Settings
from hmar.errors import PacsError
from hmar.library.audit import audit_entries, repair
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, Job, JobState, Message
from hmar.values.pulls import PACS, Pull
from hmar.wiring import Engine, build_engine
from tests.hmar.adapters.sql.damage import flip_value
from tests.orthanc import PASSWORD, USER, running_orthanc
from tests.pacs import Habits, Pacs, held
from tests.phantoms import ct_file, series_uid, sop_uid

FILES = [ct_file(series, number) for series in (1, 2) for number in range(1, 4)]


def engine_of(folder: Path, text: str) -> Engine:
    settings = Settings(home=folder / "home", redis_url="inline", model_dir="thumbnail", max_attempts=1)
    settings.home.mkdir()
    settings.pacs_path.write_text(text)
    return build_engine(settings.checked())


def pulled(engine: Engine, pull: Pull) -> Job:
    job_id = engine.indexer.submit("default", Origin(PACS, str(pull)))
    job = engine.jobs.job(job_id)
    assert job is not None
    return job


def reasons(engine: Engine, job: Job) -> list[str]:
    items = engine.jobs.items(job.job_id, {ItemState.FAILED, ItemState.DEAD}, 100)
    return [item.reason or "" for item in items]


def test_a_pull_is_an_index_job_and_a_second_one_changes_nothing(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"')
        first, second = pulled(engine, Pull("main", modality="CT")), pulled(engine, Pull("main"))
        assert (first.frames, first.counts[ItemState.INDEXED]) == (6, 6)
        assert (second.frames, second.counts[ItemState.UNCHANGED]) == (6, 6)
        [entry] = engine.catalogue.find(sop_uid(1, 2), engine.encoder.fingerprint)
        # It is shown from the PACS, which is asked again.
        assert engine.frame(entry).info.sop_instance_uid == sop_uid(1, 2)
        engine.close()


def test_files_that_are_too_large_for_memory_are_pulled_and_shown_from_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Pacs.serving(FILES[:2]) as pacs:
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"')
        held = pulled(engine, Pull("main"))
        [one] = engine.catalogue.find(sop_uid(1, 1), engine.encoder.fingerprint)
        in_memory = engine.frame(one).values
        for module in (contents, files, spool):
            monkeypatch.setattr(module, "HELD_BYTES", 1000)
        monkeypatch.setattr(contents, "PIECE_BYTES", 1000)
        assert isinstance(engine.pacs.fetch(one.origin.reference, 1 << 30), contents.FileBytes)
        assert np.array_equal(engine.frame(one).values, in_memory)
        # Digests say that it is the same file.
        again = pulled(engine, Pull("main"))
        assert (held.frames, again.counts[ItemState.UNCHANGED]) == (2, 2)
        draft = engine.spool.draft(spool.LISTENER, "other", 1 << 30, lambda: None)
        draft.write(FILES[0])
        draft.keep("other")
        assert engine.intake.sweep(spool.LISTENER) == 1
        [pushed] = engine.catalogue.find(sop_uid(1, 1), engine.encoder.fingerprint, "other")
        assert np.array_equal(engine.frame(pushed).values, in_memory)
        assert [path for path in engine.settings.spool_root.rglob("*") if path.name != ".lock"] == [
            engine.settings.spool_root / spool.LISTENER,
            engine.settings.spool_root / spool.LISTENER / "other",
        ]
        engine.close()


def test_pixels_of_another_series_are_refused_and_both_are_named(tmp_path: Path) -> None:
    with Pacs.serving(FILES[:3], Habits(sends_instead=FILES[4])) as pacs:
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"')
        job = pulled(engine, Pull("main"))
        assert (job.frames, job.counts[ItemState.FAILED]) == (0, 3)
        for number, reason in enumerate(reasons(engine, job), start=1):
            assert f"was asked for {sop_uid(1, number)} of series {series_uid(1)}" in reason
            assert f"sent {sop_uid(2, 2)} of series {series_uid(2)}" in reason
        assert engine.catalogue.last_seq() == 0
        engine.close()


def test_what_cannot_be_read_fails_by_itself_and_what_is_missing_is_counted(tmp_path: Path) -> None:
    with Pacs.serving([*FILES[:2], FILES[3]], Habits(says_more=1)) as pacs:
        damaged = held(FILES[1])._replace(data=FILES[1][:3000])
        pacs.files[1] = damaged
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"')
        job = pulled(engine, Pull("main"))
        assert job.frames == 2
        assert job.counts[ItemState.FAILED] == 3
        assert sum("instances, and lists" in reason for reason in reasons(engine, job)) == 2
        engine.close()


def test_what_a_pacs_does_not_give_waits_for_it_and_no_attempt_is_counted(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"\ntries = 1')
        job_id = engine.jobs.create("default", Origin(PACS, "main"))
        engine.jobs.add_items(job_id, list(engine.sources[PACS].list("main")))
        pacs.habits.busy = 3
        items = engine.jobs.items(job_id, {ItemState.QUEUED}, 100)
        for _ in range(3):
            with pytest.raises(PacsError):
                engine.indexer.handle(Message("item", str(items[0].item_id)))
        [waiting] = [item for item in engine.jobs.items(job_id, {ItemState.QUEUED}, 100) if item.reason]
        assert (waiting.attempts, waiting.reason) == (
            0,
            "The PACS main goes on answering 503. Ask for less at a time, or later.",
        )
        for item in items:
            engine.indexer.handle(Message("item", str(item.item_id)))
        job = engine.jobs.job(job_id)
        assert job is not None
        assert (job.state, job.frames) == (JobState.DONE, 6)
        engine.close()


def test_a_damaged_row_comes_back_from_the_pacs(tmp_path: Path) -> None:
    with Pacs.serving(FILES) as pacs:
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"')
        assert pulled(engine, Pull("main")).frames == 6
        flip_value(engine.settings.database_file, "entries", "window_codes", "entry_id = 2")
        integrity = engine.storage.integrity
        done = repair(engine, audit_entries(integrity), integrity.check_log())
        assert (done.taken_out, len(done.back), len(done.waiting)) == (1, 1, 0)
        engine.close()


def test_a_pacs_that_is_not_there_fails_the_job_with_its_name(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, '[main]\nroot = "http://127.0.0.1:1/dicom-web"\ntries = 1')
    job = pulled(engine, Pull("main"))
    assert (job.state, job.reason) == (
        JobState.FAILED,
        "The PACS main cannot be reached. Check its address, and whether it runs.",
    )
    engine.close()


@pytest.mark.slow
def test_a_real_orthanc_is_pulled_from_compressed_slices_too(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    with running_orthanc(tmp_path) as orthanc:
        for data in FILES:
            orthanc.store(data)
        engine = engine_of(
            tmp_path,
            f'[main]\nroot = "{orthanc.root}"\n'
            f'[main.auth]\nkind = "basic"\nuser = "{USER}"\npassword_file = "{tmp_path / "password"}"',
        )
        job = pulled(engine, Pull("main", modality="CT"))
        assert (job.frames, job.counts[ItemState.INDEXED]) == (6, 6), reasons(engine, job)
        listed = Counter(entry.split("/")[2] for entry in engine.sources[PACS].list("main"))
        assert listed == {series_uid(1): 3, series_uid(2): 3}
        engine.close()
