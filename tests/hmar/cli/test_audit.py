from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from hmar.adapters.sql.database import Database
from hmar.cli import main
from hmar.config import Settings
from hmar.dicom.deidentify import PatientHasher
from hmar.values.audit import Accessed
from hmar.wiring import build_engine

DAY = 86_400.0
ACCESS = Accessed(
    20_000 * DAY, "searchImage", "/api", "search", "pacs", 200, "::1", frozenset({("study", "1.2")})
)
Hmar = Callable[..., Result]


@pytest.fixture
def hmar(tmp_path: Path) -> Hmar:
    home = tmp_path / "home"
    engine = build_engine(Settings(home=home).checked())
    key = PatientHasher(*engine.secrets.patient).key("P-7", "Clinic")
    of_patient = ACCESS.touched | {("patient", str(key))}
    engine.audit_log.append(
        [replace(ACCESS, at=ACCESS.at + number * DAY) for number in range(3)]
        + [replace(ACCESS, at=ACCESS.at + 3 * DAY, touched=of_patient)]
    )
    return lambda *words: CliRunner(env={"HMAR_HOME": str(home)}).invoke(main, ["audit", *map(str, words)])


def test_an_intact_log_is_said_to_be_so(hmar: Hmar) -> None:
    result = hmar("verify")
    assert (result.exit_code, result.stdout) == (0, "4 rows are what was written; the last is row 4.\n")


def test_the_first_broken_row_is_named_and_the_exit_status_is_1(hmar: Hmar, tmp_path: Path) -> None:
    with Database(tmp_path / "home" / "catalogue.db").write() as connection:
        connection.execute(text("UPDATE audit SET actor = 'x' WHERE seq = 2"))
    result = hmar("verify")
    assert (result.exit_code, result.stderr) == (1, "Broken after 1 rows: Row 2 is not what was written.\n")
    pruned = hmar("prune", "--before", "2030-01-01", "--yes")
    assert pruned.exit_code == 1
    assert len(hmar("export", "-").stdout.splitlines()) == 4, "evidence is not pruned"


def test_rows_are_exported_as_json_and_as_a_table(hmar: Hmar, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    assert hmar("export", file).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3, 4]
    assert (rows[0]["at"], rows[0]["actor"]) == ("2024-10-04T00:00:00.000+00:00", "pacs")
    table = list(csv.DictReader(hmar("export", "--format", "csv", "-").stdout.splitlines()))
    assert [row["seq"] for row in table] == ["1", "2", "3", "4"]
    assert table[0]["touched"] == rows[0]["touched"][0]
    assert set(table[0]) == set(rows[0])


def test_an_export_may_begin_at_a_day(hmar: Hmar) -> None:
    lines = hmar("export", "--since", "2024-10-06", "-").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [3, 4]
    assert hmar("export", "--since", "yesterday", "-").exit_code == 2


def test_the_accesses_to_one_patient_or_study_are_found(tmp_path: Path, hmar: Hmar) -> None:
    def found(*words: str, asked: str = "") -> list[int]:
        runner = CliRunner(env={"HMAR_HOME": str(tmp_path / "home")})
        result = runner.invoke(main, ["audit", "export", *words, "-"], input=asked)
        assert "P-7" not in result.stdout
        return [json.loads(line)["seq"] for line in result.stdout.splitlines()]

    assert found("--study", "1.2") == [1, 2, 3, 4]
    assert found("--study", "1.3") == []
    assert found("--patient-id", "--issuer", "Clinic", asked="P-7\n") == [4]
    assert found("--patient-id", asked="P-7\n") == []
    assert hmar("export", "--patient-id", "-").exit_code == 2
    assert hmar("export", "--patient-id", "--study", "1.2", "-").exit_code == 2


def test_what_is_pruned_is_gone_and_that_it_was_is_logged(hmar: Hmar) -> None:
    assert hmar("prune", "--before", "2024-10-06").exit_code == 1, "it asks, and nobody answers"
    result = hmar("prune", "--before", "2024-10-06", "--yes")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "2 rows were removed.")
    rows = [json.loads(line) for line in hmar("export", "-").stdout.splitlines()]
    assert [(row["seq"], row["operation"]) for row in rows] == [
        (3, "searchImage"),
        (4, "searchImage"),
        (5, "pruneAudit"),
    ]
    assert hmar("verify").exit_code == 0
