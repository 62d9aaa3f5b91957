"""An archive of three synthetic series behind the application, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import Origin
from hmar.values.identity import administrator
from hmar.wiring import Engine, build_engine
from service.app import create_app
from tests.phantoms import ct_file
from tests.service.contract import CheckedClient

SERIES = 3
SLICES = 4
FRAMES = SERIES * SLICES
NODULE = (60.0, 84.0)
MAX_UPLOAD = 400_000


@dataclass(frozen=True)
class Archive:
    """The application, its engine, and a key that opens it."""

    engine: Engine
    app: Flask
    key: str

    @property
    def client(self) -> FlaskClient:
        """A client that sends the key with every request."""
        client = self.app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.key}"
        return client

    @property
    def stranger(self) -> FlaskClient:
        """A client without a key."""
        return self.app.test_client()

    def rows(self) -> int:
        return self.engine.catalogue.last_seq()


def nodule_of(series: int) -> tuple[float, float] | None:
    """Series 1 and 2 have a nodule, in different places."""
    return {1: NODULE, 2: (132.0, 92.0)}.get(series)


def build_archive(home: Path, **more: Any) -> Archive:
    queue = InlineQueue()
    settings = Settings(home=home, max_upload_bytes=MAX_UPLOAD, **more).checked()
    engine = build_engine(settings, ThumbnailEncoder(), queue)
    queue.handler = engine.indexer.handle
    return Archive(engine, create_app(engine), engine.keys.create(administrator("tests")))


def fill(archive: Archive) -> Archive:
    folder = archive.engine.settings.import_root / "chest"
    for series in range(1, SERIES + 1):
        (folder / f"s{series}").mkdir(parents=True)
        for number in range(1, SLICES + 1):
            path = folder / f"s{series}" / f"{number}.dcm"
            path.write_bytes(ct_file(series, number, nodule_of(series)))
    archive.engine.indexer.submit("default", Origin("import", "chest"))
    assert archive.rows() == FRAMES
    return archive


@pytest.fixture(scope="session", autouse=True)
def checked_answers() -> Iterator[None]:
    """Check every answer of a test client against the description of the API."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "test_client_class", CheckedClient)
        yield


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A filled archive that tests leave as it is."""
    return fill(build_archive(tmp_path_factory.mktemp("home")))


@pytest.fixture
def empty_archive(tmp_path: Path) -> Archive:
    """An archive that a test may fill."""
    return build_archive(tmp_path)
