"""A worker that takes no messages any more ends itself, and one that works does not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hmar.adapters.celery_queue import TASK
from hmar.config import Settings
from hmar.errors import UnavailableError
from hmar.indexing.progress import Pulse
from hmar.values.jobs import Message
from workers.app import create_app
from workers.liveness import CHECK_S, ENDED, IGNORED_S, SILENT_S, Liveness, watch
from workers.tasks import LazyIndexer


class Rig:
    """A worker's signs of life, on a clock of its own."""

    def __init__(self) -> None:
        self.now, self.waiting, self.broker = 1000.0, 0, True
        self.pulse = Pulse(self.clock)
        self.liveness = Liveness(self.pulse, self.backlog, self.clock)

    def clock(self) -> float:
        return self.now

    def backlog(self) -> int:
        if not self.broker:
            raise UnavailableError("The broker does not answer.", "Start it.")
        return self.waiting

    def trouble_after(self, seconds: float) -> str | None:
        """Look as often as the worker does."""
        end = self.now + seconds
        while self.now < end:
            self.now += CHECK_S
            if (trouble := self.liveness.trouble()) is not None:
                return trouble
        return None


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_worker_without_work_is_well(rig: Rig) -> None:
    assert rig.trouble_after(100 * SILENT_S) is None


def test_messages_that_nobody_takes_are_trouble(rig: Rig) -> None:
    rig.waiting = 1
    assert rig.trouble_after(IGNORED_S) is None
    assert rig.trouble_after(3 * CHECK_S) == f"messages wait, none was taken for {IGNORED_S + CHECK_S:.0f} s"


def test_messages_that_are_taken_between_two_looks_are_none(rig: Rig) -> None:
    rig.waiting = 100
    for _ in range(100):
        rig.pulse.take()
        rig.pulse.rest()
        assert rig.trouble_after(IGNORED_S / 2) is None


def test_without_a_broker_nothing_can_be_taken(rig: Rig) -> None:
    rig.waiting, rig.broker = 1, False
    assert rig.trouble_after(10 * IGNORED_S) is None
    rig.broker = True
    assert rig.trouble_after(IGNORED_S) is None


def test_a_file_of_many_frames_is_well_as_long_as_they_come(rig: Rig) -> None:
    rig.waiting = 5
    rig.pulse.take()
    for _ in range(20):
        assert rig.trouble_after(SILENT_S / 2) is None
        rig.pulse.beat()


def test_no_progress_on_what_is_in_hand_is_trouble(rig: Rig) -> None:
    rig.pulse.take()
    assert rig.trouble_after(SILENT_S - CHECK_S) is None
    assert str(rig.trouble_after(3 * CHECK_S)).startswith("no progress for 6")


def test_trouble_ends_the_worker_once_with_its_own_status(rig: Rig) -> None:
    ended: list[int] = []
    rig.pulse.take()
    rig.now += 2 * SILENT_S
    watch(rig.liveness, 0.001, threading.Event(), ended.append)
    assert ended == [ENDED]


def test_a_worker_that_stops_is_not_watched(rig: Rig) -> None:
    stopped, ended = threading.Event(), []
    stopped.set()
    rig.pulse.take()
    rig.now += 2 * SILENT_S
    watch(rig.liveness, 0.001, stopped, ended.append)
    assert ended == []


class PanicError(BaseException):
    """Like the panic of a library written in Rust."""


class BrokenIndexer(LazyIndexer):
    def __init__(self, settings: Settings, error: type[BaseException]) -> None:
        super().__init__(settings)
        self._error = error

    def get(self) -> BrokenIndexer:  # type: ignore[override]
        return self

    def handle(self, message: Message) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "raised"), [(PanicError, None), (OSError, OSError), (SystemExit, SystemExit)]
)
def test_a_task_ends_in_nothing_that_celery_does_not_expect(
    tmp_path: Path, error: type[BaseException], raised: type[BaseException] | None
) -> None:
    settings = Settings(home=tmp_path, redis_url="redis://127.0.0.1:1/0", model_dir="thumbnail")
    task = create_app(settings, BrokenIndexer(settings, error)).tasks[TASK]
    if raised is None:
        task("item", "1")
    else:
        with pytest.raises(raised):
            task("item", "1")
