"""The oracle finds nothing in a sound archive, and each violation that is planted."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmark.trust.kills.operations import look
from benchmark.trust.kills.tally import at_rest
from benchmark.trust.oracle.answers import Answer, expected_global, expected_local
from benchmark.trust.oracle.inspection import wrong_answers
from benchmark.trust.oracle.rows import Codes, FrameKey, Live, frames_of, live_rows, opened
from benchmark.trust.oracle.violations import differences, stray_files

pytestmark = pytest.mark.slow


def alter(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home / "catalogue.db")) as connection, connection:
        connection.execute(statement)


CUT_SHORT = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("CREATE TABLE kept (value)")
connection.execute("INSERT INTO kept VALUES ('before')")
connection.execute("PRAGMA cache_size = 1")  # changed pages go to the file before the commit
connection.execute("BEGIN")
connection.execute("UPDATE kept SET value = 'never committed'")
connection.executemany("INSERT INTO kept VALUES (?)", [("x" * 3000,)] * 200)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_transaction_without_a_write_ahead_log_is_rolled_back_on_a_copy(tmp_path: Path) -> None:
    database = tmp_path / "catalogue.db"
    subprocess.run([sys.executable, "-c", CUT_SHORT, str(database)], check=False)
    journal = tmp_path / "catalogue.db-journal"
    assert journal.stat().st_size > 0
    with opened(tmp_path) as connection:
        assert connection.execute("SELECT value FROM kept").fetchall() == [("before",)]
    assert journal.exists()
    assert live_rows(tmp_path) == []


def test_a_sound_archive_has_no_violation(home: Path) -> None:
    assert len(frames_of(home)) == 25
    assert at_rest(home, frames_of(home)) == []
    assert look(str(home)) == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM entries WHERE entry_id = 3", "missing"),
        (
            "UPDATE entries SET window_codes = zeroblob(length(window_codes)) WHERE entry_id = 3",
            "other codes",
        ),
        ("UPDATE entries SET collection = 'other' WHERE entry_id = 3", "too many"),
        ("DELETE FROM log WHERE seq = 3", "gaps"),
        ("UPDATE log SET kind = 'delete' WHERE seq = 3", "says 24 rows are live"),
        ("UPDATE counter SET value = value + 1", "gaps"),
        ("UPDATE jobs SET state = 'running' WHERE rowid = 1", "jobs have not ended"),
        ("UPDATE items SET state = 'queued' WHERE item_id = 1", "items are open"),
        ("UPDATE items SET state = 'dead' WHERE item_id = 1", "given up"),
        ("DELETE FROM entries WHERE origin_source = 'upload'", "belongs to nothing"),
        ("UPDATE items SET job_id = 'none' WHERE item_id = 1", "refers to none"),
    ],
)
def test_a_planted_violation_is_found(home: Path, statement: str, found: str) -> None:
    before = frames_of(home)
    alter(home, statement)
    assert found in " ".join(at_rest(home, before))


def test_a_file_that_should_not_be_there_or_is_another_is_found(home: Path) -> None:
    expected = frames_of(home)
    (upload,) = (home / "uploads").glob(f"*/{'?' * 64}")
    draft = upload.with_name(f".{upload.name}.{'0' * 16}")
    draft.touch()
    (home / "index" / "model" / ".unfinished-1").mkdir(parents=True)
    assert [text.partition(" are left")[0] for text in stray_files(home)] == [
        "1 drafts",
        "1 unfinished snapshots",
    ]
    draft.unlink()
    (home / "index" / "model" / ".unfinished-1").rmdir()
    content = upload.read_bytes()
    upload.write_bytes(content[:-1])
    assert "holds other bytes" in " ".join(at_rest(home, expected))
    upload.unlink()
    assert "is missing" in " ".join(at_rest(home, expected))
    upload.write_bytes(content)
    assert at_rest(home, expected) == []


def test_a_state_in_between_is_allowed_only_where_it_was_said(home: Path) -> None:
    final = frames_of(home)
    alter(home, "DELETE FROM entries WHERE entry_id = 3")
    assert differences(home, [{}, final]) != []
    assert differences(home, [{}, final], partial=True) == []
    alter(home, "UPDATE entries SET global_code = zeroblob(16) WHERE entry_id = 4")
    assert differences(home, [{}, final], partial=True) != []


def test_answers_that_are_not_those_of_the_rows_are_found(home: Path) -> None:
    rows = live_rows(home)
    assert wrong_answers(home, rows) == []
    other = rows[0]._replace(codes=rows[1].codes)
    assert len(wrong_answers(home, [other, *rows[1:]])) > 0


def test_the_drafts_of_a_young_archive_are_removed_at_an_old_ones_start(home: Path) -> None:
    draft = home / "secrets" / f".patient.{'0' * 16}"
    draft.touch()
    assert look(str(home)) == []
    assert not draft.exists()


def test_reading_as_the_oracle_does_leaves_the_log_of_writes_of_a_killed_process(home: Path) -> None:
    left = home.with_name("left")
    with closing(sqlite3.connect(home / "catalogue.db")) as connection:
        with connection:
            connection.execute("DELETE FROM entries WHERE entry_id = 3")
        shutil.copytree(home, left)
    log = (left / "catalogue.db-wal").read_bytes()
    assert len(log) > 0
    assert len(frames_of(left)) == 24
    assert (left / "catalogue.db-wal").read_bytes() == log


def live(entry_id: int, global_code: int, *windows: int) -> Live:
    codes = Codes(global_code.to_bytes(16), b"".join(code.to_bytes(16) for code in windows), b"")
    return Live(entry_id, FrameKey("c", str(entry_id), 1), "s", codes)


def test_answers_are_counted_by_hand() -> None:
    rows = [live(1, 0b111, 0b1, 0b1111), live(2, 0b1, 0b11), live(3, 0b1), live(4, 0, 0)]
    query = live(9, 0, 0, 0b11).codes
    assert expected_global(rows, query, 3) == [Answer(4, 0), Answer(2, 1), Answer(3, 1)]
    assert expected_local(rows, query, 9) == [Answer(1, 1), Answer(2, 1), Answer(4, 1)]
