"""An index folder beside a database that is not the one it was built from."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.search import Searcher
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.selection import Selection
from tests.contract.examples import ORIGIN, encoded, query

ENCODER = ThumbnailEncoder()


class Archive:
    """A data directory: a database and an index folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.database = home / "catalogue.db"

    @contextmanager
    def opened(self) -> Iterator[tuple[SqlCatalogue, EmbeddedIndex, Searcher]]:
        with closing(Database(f"sqlite:///{self.database}")) as database:
            database.migrate()
            catalogue = SqlCatalogue(database)
            index = EmbeddedIndex(self.home / "index", ENCODER.fingerprint)
            yield catalogue, index, Searcher(catalogue, index, ENCODER)

    def grow(self, *sops: str) -> None:
        """Add instances, apply them and write a snapshot."""
        with self.opened() as (catalogue, index, searcher):
            catalogue.append("default", [encoded(sop, model=ENCODER.fingerprint) for sop in sops], ORIGIN)
            searcher.refresh()
            index.snapshot()

    def add(self, *sops: str) -> None:
        """Add instances alone."""
        with self.opened() as (catalogue, _, _):
            catalogue.append("default", [encoded(sop, model=ENCODER.fingerprint) for sop in sops], ORIGIN)

    def backup(self) -> Path:
        copy = self.home / "backup.db"
        with closing(sqlite3.connect(self.database)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return copy

    def remove(self) -> None:
        for file in self.home.glob("catalogue.db*"):
            file.unlink()

    def restore(self, copy: Path) -> None:
        self.remove()
        shutil.copy(copy, self.database)

    def assert_index_follows_catalogue(self) -> None:
        with self.opened() as (catalogue, index, searcher):
            searcher.refresh()
            found = index.search_global(query(), 1000, 128, Selection())
            fresh = EmbeddedIndex(self.home / "fresh", ENCODER.fingerprint)
            fresh.apply(catalogue.tail(0, 1000))
            assert found == fresh.search_global(query(), 1000, 128, Selection())
            assert index.stats() == fresh.stats()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


# The snapshot is of row 5; the other log ends before it, at it, and beyond it.
GROWN = pytest.mark.parametrize("more", [0, 2, 3, 9])


@pytest.mark.slow
@GROWN
def test_an_older_copy_that_grew_another_way_is_noticed(
    archive: Archive, more: int, caplog: pytest.LogCaptureFixture
) -> None:
    archive.grow("1.1", "1.2")
    copy = archive.backup()
    archive.grow("2.1", "2.2", "2.3")
    archive.restore(copy)
    archive.add(*(f"3.{number}" for number in range(more)))
    archive.assert_index_follows_catalogue()
    assert "another log" in caplog.text
    assert len(list(archive.home.glob("index/*/quarantine/gen-*"))) == 2


@pytest.mark.slow
@GROWN
def test_another_catalogue_is_noticed(archive: Archive, more: int) -> None:
    archive.grow("1.1", "1.2", "1.3", "1.4", "1.5")
    archive.remove()
    archive.add(*(f"3.{number}" for number in range(more + 2)))
    archive.assert_index_follows_catalogue()


@pytest.mark.slow
def test_an_older_index_of_the_same_log_is_kept_and_goes_on(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    archive.grow("1.1", "1.2")
    archive.restore(archive.backup())
    archive.add("2.1")
    with archive.opened() as (_, index, searcher):
        assert index.stats().last_seq == 2
        assert searcher.refresh() == 1
    assert caplog.text == ""


def test_a_database_replaced_under_a_running_searcher_is_noticed(archive: Archive) -> None:
    with archive.opened() as (catalogue, index, searcher):
        catalogue.append("default", [encoded("1.1", model=ENCODER.fingerprint)], ORIGIN)
        searcher.refresh()
        other = Archive(archive.home / "other")
        with other.opened() as (replaced, _, _):
            replaced.append("default", [encoded("9.9", model=ENCODER.fingerprint)], ORIGIN)
            assert Searcher(replaced, index, ENCODER).refresh() == 1
            assert index.stats().last_mark == replaced.tail(0, 1)[0].mark


@pytest.mark.slow
def test_a_rebuilt_index_is_snapshotted_although_its_log_is_shorter(archive: Archive) -> None:
    archive.grow("1.1")
    copy = archive.backup()
    archive.grow("2.1", "2.2", "2.3")
    archive.restore(copy)
    archive.grow("3.1")
    with archive.opened() as (_, index, searcher):
        assert index.stats().last_seq == 2
        assert searcher.refresh() == 0
