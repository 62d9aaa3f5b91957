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
from hmar.ports import ImageSource
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.jobs import Message
from hmar.wiring import Engine, build_engine
from service.app import create_app
from tests.phantoms import PATIENT_NAME, sop_uid
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
    assert "broker" in answer.get_json(force=True)["detail"]
    assert "database" not in answer.get_json(force=True)["detail"]
    assert "password" not in answer.text


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
