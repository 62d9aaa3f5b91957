"""The audit log over a real database: whoever has the database alone cannot rewrite it unseen."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from hmar.adapters.sql.audit import SqlAuditStore
from hmar.adapters.sql.database import Database
from hmar.audit_log import TOUCHED_AT_MOST, AuditLog
from hmar.errors import ConfigError, OperatorError
from hmar.values.audit import Accessed, AuditAnchor, AuditMark, AuditRow
from hmar.values.search_limits import MAX_BATCH_K, MAX_K, MAX_QUERIES

SECRET = b"s" * 32
UID, PATIENT = "1.2.840.99", "0123456789abcdef0123456789abcdef"
ACCESS = Accessed(
    1_000_000.0,
    "searchImage",
    "/api",
    "search",
    "pacs",
    200,
    "10.0.0.1",
    frozenset({("study", UID), ("patient", PATIENT)}),
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(tmp_path / "catalogue.db")
    database.migrate()
    return database


@pytest.fixture
def log(database: Database, tmp_path: Path) -> AuditLog:
    return AuditLog(SqlAuditStore(database), SECRET, tmp_path / "head.json")


def fill(log: AuditLog, rows: int = 5) -> None:
    for number in range(rows):
        log.append([replace(ACCESS, at=ACCESS.at + 60.0 * number)])


def change(database: Database, statement: str) -> None:
    with database.write() as connection:
        connection.execute(text(statement))


def test_what_was_appended_is_intact(log: AuditLog) -> None:
    assert log.verify() == log.verify()
    assert (log.verify().rows, log.verify().fault) == (0, "")
    fill(log)
    verdict = log.verify()
    assert (verdict.rows, verdict.last_seq, verdict.fault) == (5, 5, "")


def test_rows_are_told_once_they_are_written(database: Database) -> None:
    told: list[AuditRow] = []
    log = AuditLog(SqlAuditStore(database), SECRET, None, told.extend)
    log.append([ACCESS, replace(ACCESS, actor="other")])
    log.append([])
    log.append([ACCESS])
    assert told == list(log.rows())
    assert [row.seq for row in told] == [1, 2, 3]


def test_a_row_that_is_not_written_is_not_told(database: Database) -> None:
    told: list[AuditRow] = []
    log = AuditLog(SqlAuditStore(database), SECRET, None, told.extend)
    change(database, "DROP TABLE audit")
    with pytest.raises(OperatorError):
        log.append([ACCESS])
    assert told == []


def test_uids_and_patients_are_kept_as_hashes_under_a_key_of_the_log(log: AuditLog, tmp_path: Path) -> None:
    log.append([replace(ACCESS, touched=frozenset({("series", "\ud800")})), ACCESS])
    [_, row] = log.rows()
    told = row.to_dict()
    assert told["touched"] == [log.hashed("patient", PATIENT), log.hashed("study", UID)]
    assert UID not in str(told)
    assert PATIENT not in str(told)
    assert [found.seq for found in log.rows(touching=[log.hashed("patient", PATIENT)])] == [2]
    assert list(log.rows(touching=[log.hashed("patient", UID)])) == []
    other = AuditLog(SqlAuditStore(Database(tmp_path / "x.db")), b"t" * 32, None)
    assert other.hashed("study", UID) != log.hashed("study", UID) != log.hashed("series", UID)


def test_what_the_largest_batch_can_give_is_kept_whole() -> None:
    hits = MAX_QUERIES * MAX_BATCH_K
    assert 2 * (hits + MAX_QUERIES) <= TOUCHED_AT_MOST
    assert 2 * (MAX_K + 1) <= TOUCHED_AT_MOST


def test_of_a_long_list_the_number_is_kept(log: AuditLog) -> None:
    touched = frozenset(("study", str(number)) for number in range(TOUCHED_AT_MOST + 7))
    log.append([replace(ACCESS, touched=touched)])
    [row] = log.rows()
    assert (len(row.to_dict()["touched"]), row.record.touched_count) == (TOUCHED_AT_MOST, TOUCHED_AT_MOST + 7)


@pytest.mark.parametrize(
    ("statement", "intact", "named"),
    [
        ("UPDATE audit SET actor = 'other' WHERE seq = 3", 2, "Row 3 is not"),
        ("UPDATE audit SET status = 403 WHERE seq = 1", 0, "Row 1 is not"),
        ("UPDATE audit SET at = at + 1 WHERE seq = 5", 4, "Row 5 is not"),
        ("UPDATE audit SET touched = '[]' WHERE seq = 2", 1, "Row 2 is not"),
        ("DELETE FROM audit WHERE seq = 3", 2, "Row 3 is missing"),
        ("DELETE FROM audit WHERE seq = 1", 0, "Row 1 is missing"),
        ("DELETE FROM audit WHERE seq > 3", 3, "Row 5, which this machine wrote"),
        ("DELETE FROM audit", 0, "Row 5, which this machine wrote"),
        ("UPDATE audit SET seq = -seq; UPDATE audit SET seq = 6 + seq", 0, "Row 1 is not"),
        ("INSERT INTO audit_anchor VALUES (2, 'a', 'b'); DELETE FROM audit WHERE seq < 3", 0, "mark"),
    ],
)
def test_what_was_changed_removed_or_put_in_is_named(
    log: AuditLog, database: Database, statement: str, intact: int, named: str
) -> None:
    fill(log)
    for part in statement.split("; "):
        change(database, part)
    verdict = log.verify()
    assert (verdict.rows, named in verdict.fault) == (intact, True), verdict


def test_rows_sealed_under_another_key_are_refused(log: AuditLog, database: Database) -> None:
    forger = AuditLog(SqlAuditStore(database), b"t" * 32, None)
    fill(forger)
    assert "Row 1 is not" in log.verify().fault


def test_a_tail_that_was_cut_stays_visible_when_the_log_grows_beyond_it(
    log: AuditLog, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    fill(log)
    change(database, "DELETE FROM audit WHERE seq > 3")
    fill(log)
    assert "Row 5, which this machine wrote" in log.verify().fault
    assert "row 5 of the audit log is gone" in caplog.text


@pytest.mark.parametrize("seq", [5, 999])
def test_a_forged_mark_of_pruned_rows_does_not_hide_that_a_tail_was_cut(
    log: AuditLog, database: Database, seq: int
) -> None:
    fill(log)
    [*_, last] = log.rows()
    change(database, "DELETE FROM audit WHERE seq > 3")
    change(database, f"INSERT INTO audit_anchor VALUES ({seq}, '{last.digest}', 'forged')")
    fill(log)
    change(database, "DELETE FROM audit_anchor")
    assert "Row 5, which this machine wrote" in log.verify().fault


def test_of_several_marks_of_pruned_rows_none_stops_the_log(log: AuditLog, database: Database) -> None:
    change(database, "INSERT INTO audit_anchor VALUES (1, 'a', 'b'), (2, 'a', 'b')")
    fill(log, 2)
    assert len(list(log.rows())) == 2
    assert "mark" in log.verify().fault


def test_without_the_file_of_this_machine_a_cut_tail_is_not_seen(log: AuditLog, database: Database) -> None:
    """That is how far detection goes, and the manual says so."""
    fill(log)
    change(database, "DELETE FROM audit WHERE seq > 3")
    assert AuditLog(SqlAuditStore(database), SECRET, None).verify().fault == ""


@pytest.mark.parametrize("damaged", ["{", "[]", "{}", '{"seq": "x", "digest": "y"}', '{"seq": null}', "7"])
def test_a_file_of_this_machine_that_is_damaged_is_told_and_loses_no_row(
    log: AuditLog, tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: str
) -> None:
    fill(log, 1)
    (tmp_path / "head.json").write_text(damaged)
    log.append([ACCESS])
    assert "was not noted" in caplog.text
    assert len(list(log.rows())) == 2
    with pytest.raises(ConfigError, match="head"):
        log.verify()


def test_what_is_old_is_pruned_and_the_rest_is_verified_from_there(log: AuditLog, database: Database) -> None:
    fill(log)
    assert log.prune(ACCESS.at + 150.0, replace(ACCESS, operation="pruneAudit", at=2_000_000.0)) == 3
    rows = list(log.rows())
    assert [row.seq for row in rows] == [4, 5, 6]
    assert rows[-1].record.operation == "pruneAudit"
    assert (log.verify().rows, log.verify().fault) == (3, "")
    change(database, "DELETE FROM audit WHERE seq = 4")
    assert "Row 4 is missing" in log.verify().fault


def test_another_machine_that_has_not_written_since_a_prune_raises_no_alarm(
    log: AuditLog, database: Database, tmp_path: Path
) -> None:
    other = AuditLog(SqlAuditStore(database), SECRET, tmp_path / "other.json")
    other.append([ACCESS])
    fill(log)
    log.prune(ACCESS.at + 150.0, replace(ACCESS, at=2_000_000.0))
    assert other.verify().fault == ""
    other.append([ACCESS])
    assert other.verify().fault == ""


def test_a_prune_of_nothing_removes_nothing(log: AuditLog) -> None:
    fill(log)
    assert log.prune(0.0, ACCESS) == 0
    assert log.verify().rows == 6


def test_the_proof_of_a_prune_is_of_its_row(log: AuditLog, database: Database) -> None:
    fill(log)
    log.prune(ACCESS.at + 30.0, ACCESS)
    store = SqlAuditStore(database)
    anchor, second = store.anchor(), store.rows(0, 1)[0]
    assert anchor is not None
    store.prune(AuditAnchor(AuditMark(second.seq, second.digest), anchor.proof))
    assert "mark" in log.verify().fault


def test_rows_are_listed_from_a_time_on(log: AuditLog) -> None:
    fill(log)
    assert [row.seq for row in log.rows(ACCESS.at + 180.0)] == [4, 5]


WRITER = """
import sys
from hmar.adapters.sql.audit import SqlAuditStore
from hmar.adapters.sql.database import Database
from hmar.audit_log import AuditLog
from hmar.values.audit import Accessed
from pathlib import Path
home = Path(sys.argv[1])
log = AuditLog(SqlAuditStore(Database(home / "catalogue.db")), b"s" * 32, home / "head.json")
for number in range(15):
    log.append([Accessed(1.0, "searchImage", "/", "search", sys.argv[2], 200, "")] * 2)
"""


@pytest.mark.slow
def test_several_processes_write_one_chain(log: AuditLog, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, name]) for name in ("a", "b", "c")]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    verdict = log.verify()
    assert (verdict.rows, verdict.fault) == (90, "")
    assert {row.record.actor for row in log.rows()} == {"a", "b", "c"}
