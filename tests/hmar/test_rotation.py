"""Rotation of the secret of patients: other keys everywhere, the same patients, and all of it or nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Column, insert, select, update

import hmar
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.integrity import SqlIntegrity
from hmar.adapters.sql.schema import damaged_rows, entries, feedback, items
from hmar.backup.restore import restore_backup
from hmar.cli import main
from hmar.config import Settings
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import ConfigError
from hmar.rotation import rotate
from hmar.secrets import Secrets
from hmar.values.audit import Accessed, AuditAnchor
from hmar.values.patients import next_key
from hmar.wiring import Engine, build_engine, knows_schema
from tests.hmar.adapters.sql.damage import flip_value
from tests.phantoms import PATIENT_ID, ROOT, ct_file

OTHER_ID = "ANOTHER-471"
FILES = (ct_file(1, 1), ct_file(1, 2), ct_file(2, 1).replace(PATIENT_ID.encode(), OTHER_ID.encode()))
TOLD = (items.c.patient_key, feedback.c.patient_key, feedback.c.query_patient_key, damaged_rows.c.patient_key)
LATE = 4e9
GIVEN = "0123456789abcdef" * 2


def engine_of(home: Path) -> Engine:
    return build_engine(Settings(home=home, model_dir="thumbnail").checked())


def rotated(home: Path, integrity: Callable[[Database], SqlIntegrity] = SqlIntegrity) -> tuple[Secrets, int]:
    with closing(engine_of(home)) as engine, database_of(home) as database:
        return rotate(home, home / "index", integrity(database), engine.audit_log_under)


def secrets_of(home: Path) -> Secrets:
    with closing(engine_of(home)) as engine:
        return engine.secrets


@contextmanager
def database_of(home: Path) -> Iterator[Database]:
    with closing(Database(home / "catalogue.db")) as database:
        yield database


def values(home: Path, *columns: Column[Any]) -> list[Any]:
    with database_of(home) as database, database.read() as connection:
        queries = [select(column).order_by(*column.table.primary_key) for column in columns]
        return [value for query in queries for value in connection.scalars(query)]


def command(home: Path, *words: str, stdin: str = "") -> Result:
    variables = {"HMAR_HOME": str(home), "HMAR_MODEL_DIR": "thumbnail", "HMAR_REDIS_URL": ""}
    return CliRunner(env=variables).invoke(main, list(words), input=stdin)


def faults(home: Path) -> list[str]:
    """Return what the product's own checks find, in entries, in the log and in the audit log."""
    with closing(engine_of(home)) as engine:
        checked, verdict = engine.storage.integrity.check_entries(0, 100), engine.audit_log.verify()
        assert checked is not None
        found = [f"entry {number}" for number in checked.damaged]
        found += [] if engine.storage.integrity.check_log().intact else ["log"]
        return found + ([verdict.fault] if verdict.fault else [])


def check_patients(home: Path) -> None:
    """Check that the files are known as they were, and that their keys are those of the secrets of now."""
    hasher = PatientHasher(*secrets_of(home).patient)
    one, two = hasher.key(PATIENT_ID), hasher.key(OTHER_ID)
    assert values(home, entries.c.patient_key) == [one, one, two]
    with hmar.Archive(home, "thumbnail") as archive:
        for file in FILES:
            added = archive.add(file)
            assert (added.indexed, added.unchanged, added.failures) == (0, 1, ())
        assert sorted(patient.frames for patient in archive.patients()) == [1, 2]
        hits = archive.search(FILES[0], k=9, exclude="patient")
        assert [hit.entry.info.study_uid for hit in hits] == [f"{ROOT}.92"]
    assert faults(home) == []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with three frames of two patients, a snapshot of its index, and keys in all tables."""
    home = tmp_path_factory.mktemp("made") / "home"
    with hmar.Archive(home, "thumbnail") as archive:
        for file in FILES:
            archive.add(file)
        archive.search(FILES[0], k=1)
    with closing(engine_of(home)) as engine:
        key = PatientHasher(*engine.secrets.patient).key(PATIENT_ID)
        touched = frozenset({("patient", str(key)), ("study", f"{ROOT}.91")})
        access = Accessed(LATE, "searchImage", "/api", "search", "pacs", 200, "::1", touched)
        engine.audit_log.append([access, access])
        pruning = replace(access, operation="pruneAudit", touched=frozenset())
        assert engine.audit_log.prune(LATE, pruning) == len(FILES)
    with database_of(home) as database, database.write() as connection:
        connection.execute(update(items).values(patient_key=GIVEN))
        row = dict.fromkeys(column.name for column in feedback.columns if not column.nullable)
        del row["seq"]
        named = {**dict.fromkeys(row, ""), "query_frame_number": 1, "frame_number": 1, "at": 1.0}
        connection.execute(insert(feedback), {**named, "patient_key": GIVEN, "query_patient_key": GIVEN})
        lost = {column.name: "" for column in damaged_rows.columns}
        numbers = {"entry_id": 900, "frame_number": 1, "found_at": 1.0}
        connection.execute(insert(damaged_rows), {**lost, **numbers, "patient_key": GIVEN})
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "home")


def test_patients_are_told_apart_as_before_and_nothing_of_the_keys_before_is_left(home: Path) -> None:
    before, secret = values(home, entries.c.patient_key), secrets_of(home)
    later, frames = rotated(home)
    assert (frames, len(later.patient), later.patient[0]) == (3, 2, secret.patient[0])
    assert values(home, entries.c.patient_key) == [next_key(key, later.patient[1]) for key in before]
    assert set(values(home, *TOLD)) == {next_key(GIVEN, later.patient[1])}
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert not [key for key in {*before, GIVEN} if key.encode() in kept]
    check_patients(home)
    rotated(home)
    check_patients(home)


def test_what_follows_from_the_secret_does_not_follow_from_the_one_before(home: Path) -> None:
    before, (later, _) = secrets_of(home), rotated(home)
    assert secrets_of(home) == later
    for name in ("audit", "webhooks", "handles", "patient_check"):
        assert getattr(before, name) != getattr(later, name), name
    assert before.session == later.session


def test_the_audit_log_is_verified_under_the_key_of_each_time_and_finds_a_patient_by_id(home: Path) -> None:
    rotated(home)
    with closing(engine_of(home)) as engine:
        keys = PatientHasher(*engine.secrets.patient).keys(PATIENT_ID)
        now = Accessed(LATE, "searchImage", "/api", "search", "", 200, "", frozenset({("patient", keys[-1])}))
        engine.audit_log.append([now])
    rows = command(home, "audit", "export", "--patient-id", "-", stdin=f"{PATIENT_ID}\n").stdout.splitlines()
    assert [json.loads(row)["seq"] for row in rows] == [4, 5, 8]
    of_study = command(home, "audit", "export", "--study", f"{ROOT}.91", "-").stdout.splitlines()
    assert [json.loads(row)["seq"] for row in of_study] == [4, 5]
    operations = [
        json.loads(row)["operation"] for row in command(home, "audit", "export", "-").stdout.splitlines()
    ]
    assert operations == ["searchImage", "searchImage", "pruneAudit", "rotateSecrets", "searchImage"]
    assert command(home, "audit", "verify").stdout == "5 rows are what was written; the last is row 8.\n"
    assert command(home, "audit", "prune", "--before", "1971-01-01", "--yes").exit_code == 0
    assert faults(home) == []


def test_rows_of_the_audit_log_cannot_be_forged_with_the_key_before(home: Path) -> None:
    before = secrets_of(home)
    rotated(home)
    with closing(engine_of(home)) as engine:
        forger = engine.audit_log_under(before)
        forger.append([Accessed(LATE, "searchImage", "/api", "search", "", 200, "")])
    assert faults(home) == ["Row 8 is not what was written."]


class StoppedError(Exception):
    """Stands for the end of the process."""


class Stopping(SqlIntegrity):
    """Ends when so many pages are done, or after the commit where there are not so many."""

    def __init__(self, database: Database, pages: int) -> None:
        super().__init__(database)
        self._pages = pages

    def rotate_patients(
        self,
        step: bytes,
        check: str,
        anchor: AuditAnchor | None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> int:
        def stop(_done: int, _total: int) -> None:
            self._pages -= 1
            if not self._pages:
                raise StoppedError

        super().rotate_patients(step, check, anchor, stop)
        raise StoppedError


@pytest.mark.parametrize(("pages", "whole"), [(1, False), (2, False), (5, False), (9, True)])
def test_a_rotation_that_is_killed_has_done_nothing_or_all(home: Path, pages: int, whole: bool) -> None:
    before = secrets_of(home)
    with pytest.raises(StoppedError):
        rotated(home, lambda database: Stopping(database, pages))
    assert (home / "secrets" / "patient-next").exists()
    after = secrets_of(home)
    assert not (home / "secrets" / "patient-next").exists()
    assert (len(after.patient) == 2) is whole
    assert whole or after == before
    check_patients(home)


def test_a_rotation_is_refused_while_the_secrets_are_in_use(home: Path) -> None:
    with closing(engine_of(home)) as engine:
        _ = engine.secrets
        with pytest.raises(ConfigError, match="another command works with it"):
            rotated(home)
    rotated(home)


def test_nobody_takes_the_secrets_up_while_they_are_rotated(home: Path) -> None:
    class Asking(SqlIntegrity):
        def rotate_patients(self, *arguments: Any) -> int:
            with pytest.raises(ConfigError, match="being rotated"):
                secrets_of(home)
            return super().rotate_patients(*arguments)

    rotated(home, Asking)


def test_a_broken_audit_log_is_not_rotated(home: Path) -> None:
    flip_value(home / "catalogue.db", "audit", "actor", "seq = 5")
    before = secrets_of(home)
    with pytest.raises(ConfigError, match="Row 5 is not what was written"):
        rotated(home)
    assert secrets_of(home) == before


def test_a_damaged_row_is_still_damaged(home: Path) -> None:
    flip_value(home / "catalogue.db", "entries", "instance_number", "entry_id = 2")
    rotated(home)
    assert faults(home) == ["entry 2"]


def test_a_header_of_another_version_cannot_be_tried_with_a_key_from_before(home: Path) -> None:
    with database_of(home) as database, database.write() as connection:
        other = {"header_digest": "0" * 64, "row_digest": None}
        connection.execute(update(entries).where(entries.c.entry_id == 1).values(**other))
    rotated(home)
    header = values(home, entries.c.header_digest)[0]
    assert header.startswith("0" * 8)
    assert header != "0" * 64
    with hmar.Archive(home, "thumbnail") as archive:
        assert archive.add(FILES[0]).unchanged == 1


def test_a_backup_from_before_is_restored_with_its_own_secret(home: Path, tmp_path: Path) -> None:
    assert command(home, "backup", str(tmp_path / "before.tar")).exit_code == 0
    before = secrets_of(home)
    rotated(home)
    assert command(home, "backup", str(tmp_path / "after.tar")).exit_code == 0
    for name, patient in (("before", before.patient), ("after", secrets_of(home).patient)):
        restore_backup(tmp_path / f"{name}.tar", tmp_path / name, knows_schema)
        assert secrets_of(tmp_path / name).patient == patient
        check_patients(tmp_path / name)


def test_the_command_asks_and_prints_new_secrets_of_webhooks(home: Path) -> None:
    old = command(home, "webhooks", "add", "ris", "https://10.0.0.7/hmar").stdout.strip()
    assert command(home, "secrets", "rotate", stdin="n\n").exit_code == 1
    assert len(secrets_of(home).patient) == 1
    done = command(home, "secrets", "rotate", "--yes")
    assert done.exit_code == 0, done.output
    said, webhook = done.stdout.splitlines()
    assert said == "The secret was rotated: 3 frames have another key of their patient."
    assert webhook.startswith("New secret of the webhook ris: hmarwh_")
    assert old not in webhook
    assert len(secrets_of(home).patient) == 2
