"""An archive of the album, made once; each test damages a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmark.trust.kills.operations import COLLECTION
from benchmark.trust.oracle.album import album, write_album
from benchmark.trust.settings import settings_of
from hmar.library.archive import Archive


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trust")
    write_album(folder / "images", album(0))
    with Archive(settings=settings_of(folder / "home")) as archive:
        archive.add(folder / "images", collection=COLLECTION)
        archive.add(album(0, study=2)[0].data, collection=COLLECTION)
    return folder / "home"


@pytest.fixture
def home(indexed: Path, tmp_path: Path) -> Path:
    shutil.copytree(indexed, tmp_path / "home")
    return tmp_path / "home"
