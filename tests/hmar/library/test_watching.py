"""Watching goes on whatever is wrong with a PACS, its file or the database."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from hmar.config import IN_MEMORY, Settings
from hmar.errors import OperatorError
from hmar.library.watching import watch_forever
from hmar.wiring import Engine, build_engine
from tests.hmar.watching.conftest import FILES
from tests.orthanc_stub import StubOrthanc

WAIT_S = 60.0


def engine_of(home: Path, text: str) -> Engine:
    (home / "pacs.toml").write_text(text)
    return build_engine(Settings(home=home, database_url=IN_MEMORY, model_dir="thumbnail").checked())


class Logged(logging.Handler):
    """Tells when something was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.some = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.some.set()


@pytest.fixture
def logged() -> Logged:
    return Logged()


def watched(engine: Engine, until: threading.Event) -> None:
    """Watch until an event comes, in a thread that then ends."""
    stopped = threading.Event()
    thread = threading.Thread(target=watch_forever, args=(engine, stopped))
    thread.start()
    assert until.wait(WAIT_S)
    stopped.set()
    thread.join(WAIT_S)
    assert not thread.is_alive()
    engine.close()


def test_a_file_of_pacs_that_cannot_be_used_is_told(tmp_path: Path, logged: Logged) -> None:
    logging.getLogger("hmar.library.watching").addHandler(logged)
    watched(engine_of(tmp_path, "main = 3"), logged.some)
    assert "no PACS is followed: main is no table" in logged.lines[0]


def test_a_database_that_fails_is_told_and_tried_again(tmp_path: Path, logged: Logged) -> None:
    logging.getLogger("hmar.library.watching").addHandler(logged)
    with StubOrthanc.serving(FILES[:1]) as orthanc:
        engine = engine_of(
            tmp_path,
            f'[main]\nroot = "{orthanc.url}/dicom-web"\n'
            f'[main.follow]\nkind = "orthanc"\nroot = "{orthanc.url}"\nevery_s = 0.01',
        )
        store, done = engine.storage.follows, threading.Event()
        claim, failed = store.claim, [0]

        def fails_twice(*given: object) -> object:
            failed[0] += 1
            if failed[0] <= 2:
                raise OperatorError("The database fails.", "Look at its log.")
            if engine.catalogue.last_seq():
                done.set()
            return claim(*given)  # type: ignore[arg-type]

        store.claim = fails_twice  # type: ignore[method-assign, assignment]
        watched(engine, done)
    assert sum("watching a PACS waits: The database fails." in line for line in logged.lines) == 2
    assert not store.followed("main").watched
