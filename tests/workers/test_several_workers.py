"""Three workers and a web server on one SQLite file: every frame once, and nobody is locked out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hmar.indexing.submitting import submit
from hmar.values.entries import Origin
from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity, administrator
from hmar.values.jobs import ItemState, JobState
from hmar.wiring import Engine, build_engine
from service.app import create_app
from service.refresh import Refresher
from tests.broker import running_broker
from tests.phantoms import ct_file
from tests.workers.test_worker import settings_for, worker

pytestmark = pytest.mark.slow

WORKERS = 3
SERIES = 4
SLICES = 50
DEADLINE_S = 600.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with running_broker() as url:
        engine = build_engine(settings_for(tmp_path / "home", url), serving=True)
        yield engine
        engine.close()


def write_series(folder: Path, series: int) -> Origin:
    folder.mkdir(parents=True)
    for number in range(1, SLICES + 1):
        (folder / f"{number}.dcm").write_bytes(ct_file(series, number))
    return Origin("local", str(folder))


def test_every_frame_is_indexed_once_and_no_database_is_locked(engine: Engine, tmp_path: Path) -> None:
    client = create_app(engine).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {engine.keys.create(administrator('tests'))}"
    refresher = Refresher(engine.searcher.refresh, engine.index, interval_s=0.05)
    origins = [write_series(tmp_path / f"s{number}", number) for number in range(1, SERIES + 1)]
    with ExitStack() as stack:
        processes = [stack.enter_context(worker(engine.settings)) for _ in range(WORKERS)]
        refresher.start()
        stack.callback(refresher.stop)
        # Each series twice, at once: two jobs that meet at every file.
        jobs = [submit(engine.jobs, engine.queue, "default", origin) for origin in origins for _ in range(2)]
        end = time.monotonic() + DEADLINE_S
        while not all((job := engine.jobs.job(job_id)) and job.finished for job_id in jobs):
            assert time.monotonic() < end
            assert all(process.poll() is None for process in processes)
            assert client.get("/api/v1/series").status_code == 200
            engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
            time.sleep(0.1)
        for process in processes:
            process.terminate()
        outputs = [process.communicate(timeout=60)[0] for process in processes]
    check_jobs(engine, jobs)
    check_rows(engine)
    assert not [
        line for output in outputs for line in output.splitlines() if "WARNING" in line or "ERROR" in line
    ]


def check_jobs(engine: Engine, job_ids: list[str]) -> None:
    for job_id in job_ids:
        job = engine.jobs.job(job_id)
        assert job is not None
        assert (job.state, job.frames) == (JobState.DONE, SLICES)
        assert job.counts[ItemState.INDEXED] + job.counts[ItemState.UNCHANGED] == SLICES


def check_rows(engine: Engine) -> None:
    rows = engine.catalogue.tail(0, 10_000)
    assert [row.seq for row in rows] == list(range(1, SERIES * SLICES + 1))
    frames = Counter(
        (row.encoded.info.sop_instance_uid, row.encoded.info.frame_number) for row in rows if row.encoded
    )
    assert set(frames.values()) == {1}
    assert len(frames) == SERIES * SLICES
    assert engine.index.stats().frames == SERIES * SLICES
