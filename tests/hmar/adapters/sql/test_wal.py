"""A damaged write-ahead log is told: SQLite itself ends at the damage and says nothing."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.integrity import SqlIntegrity
from hmar.adapters.sql.wal import lost_commits
from tests.contract.examples import ORIGIN, encoded
from tests.hmar.adapters.sql.damage import flip_bit

COMMITS = 1200
FRAME = 24 + 4096
KILLED = """
import os, sys
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from tests.contract.examples import ORIGIN, encoded
database = Database(f"sqlite:///{sys.argv[1]}")
database.migrate()
for number in range(20):
    SqlCatalogue(database).append("default", [encoded(f"1.{number}")], ORIGIN)
os._exit(9)
"""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database whose log is never emptied."""
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE a (b)")
        yield connection


def insert(connection: sqlite3.Connection, times: int) -> None:
    for _ in range(times):
        connection.execute("INSERT INTO a VALUES (randomblob(1000))")


def found_by_sqlite(folder: Path, data: bytes, damaged: bytes) -> int:
    """Return how many rows a process finds that starts on the damaged log."""
    (folder / "b.db").write_bytes((folder / "a.db").read_bytes())
    (folder / "b.db-wal").write_bytes(damaged)
    with closing(sqlite3.connect(folder / "b.db")) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return int(connection.execute("SELECT count(*) FROM a").fetchone()[0]) if tables else 0


@pytest.mark.parametrize(
    "byte", [3, 9, 17, 26, 32 + 500, 32 + 100 * FRAME + 5, 32 + 100 * FRAME + 10, 32 + 1000 * FRAME + 18]
)
def test_what_lies_behind_one_flipped_bit_is_counted(
    connection: sqlite3.Connection, tmp_path: Path, byte: int
) -> None:
    insert(connection, COMMITS)
    log = tmp_path / "a.db-wal"
    assert lost_commits(log) == 0
    data = log.read_bytes()
    damaged = bytearray(data)
    damaged[byte] ^= 1
    copy = tmp_path / "copy"
    copy.write_bytes(damaged)
    told = lost_commits(copy)
    lost = COMMITS - found_by_sqlite(tmp_path, data, bytes(damaged))
    assert lost > 0
    # Not counted: the commit of the damaged frame, and the next if its checksum is what is damaged. Counted
    # too: the one that made the table.
    assert abs(told - lost) <= 2


@pytest.mark.parametrize("left", [0, 10, 31, 32, 40, 32 + FRAME, 32 + 7 * FRAME + 100])
def test_a_log_that_ends_early_is_whole_as_far_as_it_goes(
    connection: sqlite3.Connection, tmp_path: Path, left: int
) -> None:
    insert(connection, 30)
    copy = tmp_path / "copy"
    copy.write_bytes((tmp_path / "a.db-wal").read_bytes()[:left])
    assert lost_commits(copy) == 0
    assert lost_commits(tmp_path / "none") == 0


def test_frames_from_before_the_log_began_anew_are_no_loss(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    insert(connection, 100)
    assert connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0] == 0
    insert(connection, 3)
    assert (tmp_path / "a.db-wal").stat().st_size > 50 * FRAME
    assert lost_commits(tmp_path / "a.db-wal") == 0


def test_a_large_transaction_that_was_rolled_back_is_no_loss(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    insert(connection, 3)
    connection.execute("PRAGMA cache_size = 10")
    connection.execute("BEGIN")
    insert(connection, 500)
    connection.execute("ROLLBACK")
    insert(connection, 3)
    assert (tmp_path / "a.db-wal").stat().st_size > 50 * FRAME
    assert lost_commits(tmp_path / "a.db-wal") == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["flipped", "removed", "none"])
def test_a_start_tells_and_notes_it_until_it_is_mended(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, log = tmp_path / "catalogue.db", tmp_path / "catalogue.db-wal"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == 9
    if fault == "flipped":
        flip_bit(log, 8 * (32 + 6 * FRAME + 50))
    elif fault == "removed":
        log.unlink()
    for start in (1, 2):
        with caplog.at_level(logging.ERROR), closing(Database(f"sqlite:///{path}")) as database:
            database.migrate()
            integrity = SqlIntegrity(database)
            held = SqlCatalogue(database).last_seq()
            if fault == "none":
                assert (held, integrity.store_problems(), caplog.messages) == (20, [], [])
                continue
            [problem] = integrity.store_problems()
            assert f"was {'missing' if fault == 'removed' else 'damaged'}" in problem
            assert held < 20
            assert len(caplog.messages) == 1
            if start == 2:
                integrity.mend_store()
                assert integrity.store_problems() == []


def test_a_database_in_use_is_not_suspected(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'a.db'}")) as first:
        first.migrate()
        for number in range(5):
            SqlCatalogue(first).append("default", [encoded(f"1.{number}")], ORIGIN)
            with closing(Database(f"sqlite:///{tmp_path / 'a.db'}")) as second:
                second.migrate()
        assert SqlIntegrity(first).store_problems() == []
    assert caplog.messages == []
