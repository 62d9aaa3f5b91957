"""The worker: configured for at-least-once delivery, answers while it works, stops politely."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import celery.exceptions
import pytest

from hmar.adapters.celery_queue import QUEUE, TASK, CeleryQueue
from hmar.config import Settings
from hmar.errors import ConfigError, DiskFullError, OperatorError, UnavailableError
from hmar.indexing.submitting import submit
from hmar.library.backups import Backups
from hmar.library.verifications import Verifications
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, Message
from hmar.wiring import build_engine
from tests.broker import running_broker
from tests.phantoms import ct_file
from workers import tasks
from workers.app import create_app, sweep_forever
from workers.tasks import LazyIndexer

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with running_broker() as url:
        yield url


def settings_for(home: Path, redis_url: str) -> Settings:
    return Settings(home=home, redis_url=redis_url, model_dir="thumbnail", item_lease_s=2)


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {
        "HMAR_HOME": str(settings.home),
        "HMAR_REDIS_URL": settings.redis_url,
        "HMAR_MODEL_DIR": settings.model_dir,
        "HMAR_ITEM_LEASE_S": str(settings.item_lease_s),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "workers"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_delivery_is_late_acknowledged_json_one_at_a_time_without_results(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "redis://127.0.0.1:1/0")
    app = create_app(settings, LazyIndexer(settings))
    assert TASK in app.tasks
    conf = app.conf
    assert conf.task_default_queue == QUEUE
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]
    assert conf.result_backend is None
    assert conf.broker_transport_options["visibility_timeout"] >= settings.item_lease_s
    assert conf.broker_connection_retry_on_startup


class FailingIndexer(LazyIndexer):
    """An indexer that fails for want of something on the server."""

    def __init__(self, settings: Settings, error: OperatorError) -> None:
        super().__init__(settings)
        self.error = error

    def get(self) -> NoReturn:
        raise self.error


def test_messages_wait_while_the_disk_is_full_and_other_troubles_keep_only_their_own_row_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks, "PAUSE_S", 0.0)
    settings = settings_for(tmp_path, "redis://127.0.0.1:1/0")
    full = create_app(
        settings, FailingIndexer(settings, DiskFullError("The disk is full.", "Free some space."))
    )
    with pytest.raises(celery.exceptions.Reject) as raised:
        full.tasks[TASK]("item", "1")
    assert raised.value.requeue
    down = create_app(settings, FailingIndexer(settings, UnavailableError("It is down.", "Start it.")))
    down.tasks[TASK]("item", "1")
    assert [record.getMessage() for record in caplog.records] == [
        "messages wait: The disk is full. Free some space.",
        "messages wait: It is down. Start it.",
    ]


def test_a_worker_refuses_a_queue_that_is_inline(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "inline")
    with pytest.raises(ConfigError, match="inline"):
        create_app(settings, LazyIndexer(settings))


@pytest.mark.slow
def test_without_a_broker_the_worker_says_so(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "")
    with pytest.raises(ConfigError, match="HMAR_REDIS_URL"):
        create_app(settings, LazyIndexer(settings))
    with worker(settings) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "hmar serve" in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_a_worker_makes_what_waits_and_removes_what_another_has_left(tmp_path: Path, broker_url: str) -> None:
    settings = settings_for(tmp_path, broker_url).checked()
    asked = Backups(settings).ask()
    Verifications(settings).ask()
    left = settings.backup_root / ".unfinished-hmar-killed.tar"
    left.write_text("half")
    with worker(settings) as process:
        while not ((last := Verifications(settings).last()) and last.ended):
            assert process.poll() is None
            time.sleep(0.1)
    assert last.healthy
    assert [(one.name, one.state) for one in Backups(settings).listed()] == [(asked.name, "verified")]
    assert not left.exists()


def test_a_message_of_an_unknown_kind_is_left_alone(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "never-made", "redis://127.0.0.1:1/0")
    app = create_app(settings, LazyIndexer(settings))
    app.tasks[TASK]("reindex", "1")
    assert not settings.home.exists()


def test_a_failing_sweep_is_tried_again() -> None:
    stopped = threading.Event()
    calls = 0

    def sweep() -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("the database is away")
        stopped.set()
        return 1

    sweep_forever(sweep, 0.001, "sent %d messages again", stopped)
    assert calls == 2


@pytest.mark.slow
def test_a_worker_answers_indexes_and_ends_on_sigterm(tmp_path: Path, broker_url: str) -> None:
    settings = settings_for(tmp_path / "home", broker_url)
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(1, 4):
        (folder / str(number)).write_bytes(ct_file(1, number))
    (folder / "bad.dcm").write_bytes(b"not an image")
    engine = build_engine(settings)
    # A message that no release knows, and one whose row is gone, stop nothing.
    engine.queue.enqueue([Message("item", "999"), Message("expand", "gone")])
    job_id = submit(engine.jobs, engine.queue, "default", Origin("local", str(folder)))
    with worker(settings) as process:
        deadline = time.monotonic() + 90
        while not (job := engine.jobs.job(job_id)) or not job.finished:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        assert CeleryQueue(broker_url).ping() == 1
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(own + settings.worker_nice, 19)
        assert CeleryQueue(broker_url).backlog() == 0
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert (job.frames, job.counts[ItemState.INDEXED], job.counts[ItemState.FAILED]) == (3, 3, 1)
    assert str(folder) not in output
    assert engine.catalogue.last_seq() == 3


@pytest.mark.slow
def test_a_worker_removes_what_killed_processes_have_left(tmp_path: Path, broker_url: str) -> None:
    """An upload of a job that has ended, and the unfinished file of another upload."""
    settings = settings_for(tmp_path / "home", broker_url)
    engine = build_engine(settings)
    [needed, unneeded] = (engine.kept_uploads.receive("default", [content], None) for content in (b"a", b"b"))
    for item in engine.jobs.items(unneeded, set(ItemState), 10):
        engine.jobs.finish(item.item_id, ItemState.FAILED, 0, "Refused.")
    [kept] = (item.origin.reference for item in engine.jobs.items(needed, set(ItemState), 10))
    draft = settings.upload_root / kept[:2] / f".{kept}.0123456789abcdef"
    draft.write_bytes(b"half of a file")
    os.utime(draft, (0, 0))
    with worker(settings) as process:
        deadline = time.monotonic() + 90
        while draft.exists() or list(engine.uploads.references()) != [kept]:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        while CeleryQueue(broker_url).ping() != 1:  # it catches signals then
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "removed 2 files that killed processes had left" in output
