"""What is sent is not kept where a PACS has it, and is shown from there."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from hmar.config import Settings
from hmar.errors import ConfigError, NotFoundError, PacsError
from hmar.values.digests import pixel_digest
from hmar.values.jobs import ItemState, Job, JobState, Message
from hmar.wiring import Engine, build_engine
from tests.hmar.dicom.build import image, ramp
from tests.orthanc import PASSWORD, USER, running_orthanc
from tests.pacs import Habits, Pacs, held
from tests.phantoms import SIDE, ct_file, sop_uid

FILE = ct_file(1, 1)


def engine_of(folder: Path, text: str) -> Engine:
    settings = Settings(
        home=folder / "home", redis_url="inline", model_dir="thumbnail", uploads_pacs="main"
    ).checked()
    settings.home.mkdir(exist_ok=True)
    settings.pacs_path.write_text(text)
    return build_engine(settings)


def sent(engine: Engine, *contents: bytes) -> tuple[Job, list[str]]:
    """Index files; return the job, and why some failed."""
    job_id = engine.indexer.submit_files("default", list(contents))
    job = engine.jobs.job(job_id)
    assert job is not None
    items = engine.jobs.items(job_id, {ItemState.FAILED, ItemState.DEAD}, 100)
    return job, [item.reason or "" for item in items]


def uploads(engine: Engine) -> list[str]:
    return list(engine.uploads.references())


def changed(data: bytes, change: Callable[[pydicom.Dataset], None]) -> bytes:
    file, buffer = pydicom.dcmread(io.BytesIO(data)), io.BytesIO()
    change(file)
    file.save_as(buffer)
    return buffer.getvalue()


def other_name(file: pydicom.Dataset) -> None:
    file.PatientName = "Archived^Under^Another^Name"


def other_pixels(file: pydicom.Dataset) -> None:
    file.PixelData = bytes(len(file.PixelData))


@pytest.mark.parametrize("stored", [FILE, changed(FILE, other_name)], ids=["same bytes", "other bytes"])
def test_what_the_pacs_has_is_indexed_and_not_kept(tmp_path: Path, stored: bytes) -> None:
    with Pacs.serving([stored]) as pacs:
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"')
        job, _ = sent(engine, FILE)
        assert (job.counts[ItemState.INDEXED], uploads(engine)) == (1, [])
        [entry] = engine.catalogue.find(sop_uid(1, 1), engine.encoder.fingerprint)
        assert entry.origin.source == "pacs"
        assert entry.digests is not None
        assert pixel_digest(engine.frame(entry)) == entry.digests.pixels
        again, _ = sent(engine, FILE)
        assert (again.counts[ItemState.UNCHANGED], uploads(engine)) == (1, [])
        # The PACS has other pixels by now: they are not shown as those that were indexed.
        pacs.files[0] = held(changed(FILE, other_pixels))
        with pytest.raises(NotFoundError, match="other pixels"):
            engine.frame(entry)
        engine.close()


@pytest.mark.parametrize(
    ("stored", "habits", "said"),
    [
        ([], Habits(), "Send it to the PACS main first"),
        ([changed(FILE, other_pixels)], Habits(), "other pixels under the UID"),
        ([FILE], Habits(sends_instead=ct_file(2, 2)), "was asked for"),
    ],
    ids=["none", "other pixels", "another instance"],
)
def test_what_the_pacs_does_not_have_is_neither_indexed_nor_kept(
    tmp_path: Path, stored: list[bytes], habits: Habits, said: str
) -> None:
    with Pacs.serving(stored, habits) as pacs:
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"')
        job, [reason] = sent(engine, FILE)
        assert said in reason
        assert (job.frames, uploads(engine), engine.catalogue.last_seq()) == (0, [], 0)
        engine.close()


def test_what_no_pacs_can_have_is_refused(tmp_path: Path) -> None:
    with Pacs.serving([]) as pacs:
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"')
        _, [reason] = sent(engine, image(ramp(), StudyInstanceUID=None))
        assert "no UIDs of its own" in reason
        assert (uploads(engine), pacs.asked) == ([], [])
        engine.close()


def test_while_the_pacs_does_not_answer_what_is_sent_waits(tmp_path: Path) -> None:
    with Pacs.serving([FILE], Habits(busy=1)) as pacs:
        engine = engine_of(tmp_path, f'[main]\nroot = "{pacs.url}/dicom-web"\ntries = 1')
        engine.indexer.submit_files("default", [FILE])
        assert len(uploads(engine)) == 1
        [job] = engine.jobs.unfinished({JobState.QUEUED, JobState.RUNNING})
        [item] = engine.jobs.items(job.job_id, {ItemState.QUEUED}, 10)
        assert (item.attempts, item.reason) == (
            0,
            "The PACS main goes on answering 503. Ask for less at a time, or later.",
        )
        engine.indexer.handle(Message("item", str(item.item_id)))
        assert (engine.catalogue.last_seq(), uploads(engine)) == (1, [])
        engine.close()


def test_a_pacs_that_nobody_named_is_an_error_of_the_settings(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, '[other]\nroot = "https://pacs.example/dicom-web"')
    with pytest.raises(ConfigError, match="HMAR_UPLOADS_PACS is 'main'"):
        _ = engine.indexer
    engine.close()


@pytest.mark.slow
def test_pictures_come_from_a_real_orthanc_as_long_as_it_answers(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    files = [ct_file(1, number) for number in (1, 2)]
    with running_orthanc(tmp_path) as orthanc:
        for data in files:
            orthanc.store(data)
        engine = engine_of(
            tmp_path,
            f'[main]\nroot = "{orthanc.root}"\ntries = 1\n'
            f'[main.auth]\nkind = "basic"\nuser = "{USER}"\npassword_file = "{tmp_path / "password"}"',
        )
        job, reasons = sent(engine, *files)
        assert (job.counts[ItemState.INDEXED], uploads(engine)) == (2, []), reasons
        first, second = (
            engine.catalogue.find(sop_uid(1, number), engine.encoder.fingerprint)[0] for number in (1, 2)
        )
        assert engine.frame(first).values.shape == (SIDE, SIDE)
    with pytest.raises(PacsError, match="main cannot be reached"):
        engine.frame(second)
    with running_orthanc(tmp_path, orthanc):
        assert engine.frame(second).values.shape == (SIDE, SIDE)
    engine.close()
