"""A server of three synthetic series, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import hmar
from tests.e2e.served import Server
from tests.service.conftest import Archive, build_archive, fill


@dataclass(frozen=True)
class Served:
    """An archive, and the address of the server in front of it."""

    archive: Archive
    url: str

    def client(self, key: str | None = None) -> hmar.Client:
        return hmar.Client(self.url, key or self.archive.key)


def serve(archive: Archive) -> Iterator[Served]:
    server = Server(archive.engine)
    yield Served(archive, server.url)
    server.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A filled archive that tests leave as it is."""
    yield from serve(fill(build_archive(tmp_path_factory.mktemp("served"))))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    """A filled archive that a test may change."""
    yield from serve(fill(build_archive(tmp_path / "own")))
