"""Health, readiness, and errors that are the server's."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pytest

from hmar.adapters.memory import InlineQueue, MemorySource
from hmar.config import Settings
from hmar.errors import UnavailableError
from hmar.ports import Catalogue, ImageSource
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import Origin
from hmar.values.jobs import Message
from hmar.wiring import Engine, build_engine
from service.app import create_app
from service.routes import health
from tests.phantoms import PATIENT_NAME, ct_file, sop_uid
from tests.service.conftest import Archive


class DownQueue:
    """A broker that does not answer, at an address with a password."""

    def enqueue(self, messages: Sequence[Message]) -> None:
        raise UnavailableError("redis://:password@broker does not answer.", "Start it.")

    def ping(self) -> int:
        raise UnavailableError("redis://:password@broker does not answer.", "Start it.")

    def backlog(self) -> int:
        raise UnavailableError("redis://:password@broker does not answer.", "Start it.")


class FaultySource(MemorySource):
    """Image files that cannot be read, for a reason that must not be told."""

    def __init__(self, error: Exception) -> None:
        super().__init__({})
        self._error = error

    def fetch(self, reference: str, max_bytes: int) -> bytes:
        raise self._error


class FaultyEngine(Engine):
    """An engine with a mistake in it."""

    error: Exception = RuntimeError(PATIENT_NAME)

    @cached_property
    def sources(self) -> Mapping[str, ImageSource]:
        return {"import": FaultySource(self.error)}


class BlockedEngine(FaultyEngine):
    """An engine whose file store is gone."""

    error = UnavailableError("/mnt/secret is gone.", "Mount it.")


def test_the_process_lives_and_is_ready_without_a_key(archive: Archive) -> None:
    assert archive.stranger.get("/healthz").get_json() == {"status": "alive"}
    ready = archive.stranger.get("/readyz")
    assert ready.status_code == 200
    assert set(ready.get_json()["checks"]) == {"disk", "database", "broker", "worker", "model", "index"}


def test_readiness_names_the_part_that_fails_and_nothing_more(tmp_path: Path) -> None:
    engine = build_engine(Settings(home=tmp_path).checked(), ThumbnailEncoder(), DownQueue())
    answer = create_app(engine).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json(force=True)["detail"] == "Not ready: broker."
    assert "password" not in answer.text


class DownDatabase(Engine):
    """An engine whose database does not answer any more."""

    down = False

    @property
    def catalogue(self) -> Catalogue:
        if self.down:
            raise UnavailableError("postgresql://secret does not answer.", "Start it.")
        return super().catalogue


def test_a_database_that_does_not_answer_is_told_apart_from_the_index(archive: Archive) -> None:
    engine = DownDatabase(archive.engine.settings, archive.engine.encoder, archive.engine.queue)
    client = create_app(engine).test_client()
    assert client.get("/readyz").status_code == 200
    engine.down = True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json(force=True)["detail"]) == (503, "Not ready: database.")
    assert "secret" not in answer.text


def test_a_disk_without_room_is_told_as_such(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, min_free_mb=1 << 30).checked()
    engine = build_engine(settings, ThumbnailEncoder(), InlineQueue(lambda _message: None))
    answer = create_app(engine).test_client().get("/readyz")
    assert (answer.status_code, answer.get_json(force=True)["detail"]) == (503, "Not ready: disk.")


def test_an_index_that_lags_is_told_as_such(empty_archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = empty_archive.engine.settings.import_root / "one"
    folder.mkdir(parents=True)
    (folder / "1.dcm").write_bytes(ct_file(1, 1))
    empty_archive.engine.indexer.submit("default", Origin("import", "one"))
    monkeypatch.setattr(health, "LAG_ROWS", 1)
    answer = empty_archive.stranger.get("/readyz")
    assert (answer.status_code, answer.get_json(force=True)["detail"]) == (503, "Not ready: index.")
    empty_archive.engine.searcher.refresh()
    assert empty_archive.stranger.get("/readyz").status_code == 200


class DesertedQueue(InlineQueue):
    """A broker that answers, and no worker."""

    def ping(self) -> int:
        return 0


def test_without_a_worker_that_answers_the_product_is_not_ready(tmp_path: Path) -> None:
    engine = build_engine(Settings(home=tmp_path).checked(), ThumbnailEncoder(), DesertedQueue())
    answer = create_app(engine).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json(force=True)["detail"] == "Not ready: worker."


def faulty(archive: Archive, kind: type[Engine]) -> Archive:
    engine = kind(archive.engine.settings, archive.engine.encoder, archive.engine.queue)
    return Archive(engine, create_app(engine), archive.key)


def test_a_mistake_of_the_server_is_told_by_an_id_that_the_log_has_too(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = faulty(archive, FaultyEngine).client.get(f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image")
    body = answer.get_json(force=True)
    assert (answer.status_code, body["type"]) == (500, "/problems/internal-error")
    error_id = body["detail"].partition("(error ")[2].strip(").")
    assert error_id in caplog.text
    assert "RuntimeError" in caplog.text
    assert PATIENT_NAME not in caplog.text + answer.text


def test_an_operators_error_is_told_without_its_detail(archive: Archive) -> None:
    answer = faulty(archive, BlockedEngine).client.get(f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "/mnt/secret" not in answer.text


def test_the_access_log_names_the_route_and_not_the_uid(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "hmar.service.access"):
        archive.client.get(f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image")
    assert "GET /api/v1/instances/<sop_instance_uid>/frames/<int:frame_number>/image 200" in caplog.text
    assert sop_uid(1, 1) not in caplog.text
