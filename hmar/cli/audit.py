"""``hmar audit``."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from hmar.audit_log import AuditLog
from hmar.cli.patient_id import asked_patient_id
from hmar.cli.settings import settings_from_environment
from hmar.dicom.deidentify import PatientHasher
from hmar.disk import writing
from hmar.errors import ParameterError
from hmar.files import new_file
from hmar.values.audit import Accessed, AuditRecord, AuditRow
from hmar.wiring import Engine, build_engine

BROKEN = 1
_DAY = click.DateTime(["%Y-%m-%d"])
_COLUMNS = ("seq", *AuditRecord._fields, "digest")


@click.group()
def audit() -> None:
    """Verify, export and prune the log of who was given whose data.

    \b
    Examples:
      hmar audit verify
      hmar audit export --since 2026-01-01 accesses.jsonl
      hmar audit prune --before 2024-01-01
    """


def _audit_log() -> AuditLog:
    return build_engine(settings_from_environment()).audit_log


@audit.command()
def verify() -> None:
    """Verify that no row was changed, removed or added by another; exit with 1 and name the first that was.

    That rows are missing at the end is found up to the last one that this machine has written.

    \b
    Example:
      hmar audit verify
    """
    _check(_audit_log())


def _check(log: AuditLog) -> None:
    verdict = log.verify()
    if verdict.fault:
        click.echo(f"Broken after {verdict.rows} rows: {verdict.fault}", err=True)
        click.get_current_context().exit(BROKEN)
    click.echo(f"{verdict.rows} rows are what was written; the last is row {verdict.last_seq}.")


@audit.command()
@click.option("--since", type=_DAY, help="Only accesses from this day on (UTC), such as 2026-01-31.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    help="A JSON object a line, or a table. Default: jsonl.",
)
@click.option("--study", metavar="UID", help="Only accesses to this study.")
@click.option(
    "--patient-id",
    "patient",
    is_flag=True,
    help="Only accesses to one patient, whose id is asked for, or read from standard input.",
)
@click.option(
    "--issuer", default="", metavar="TEXT", help="Issuer of the patient id (0010,0021), where files have one."
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
def export(
    since: datetime | None, kind: str, study: str | None, patient: bool, issuer: str, file: Path
) -> None:
    """Write the rows to FILE, which only you can read; to standard output if it is -.

    Of whom a row tells is kept as keyed hashes: --study and --patient-id find the rows of one.

    \b
    Examples:
      hmar audit export accesses.jsonl
      hmar audit export --since 2026-01-01 --format csv -
      hmar audit export --patient-id accesses.jsonl < id.txt
    """
    engine = build_engine(settings_from_environment())
    touching = _touching(engine, study, asked_patient_id() if patient else None, issuer)
    rows = engine.audit_log.rows(0.0 if since is None else _seconds(since), touching)
    lines = _table(rows) if kind == "csv" else (f"{json.dumps(row.to_dict())}\n" for row in rows)
    if str(file) == "-":
        for line in lines:
            click.echo(line, nl=False)
        return
    with writing("The file"), new_file(file, mode=0o600) as opened:
        for line in lines:
            opened.write(line.encode())


def _touching(
    engine: Engine, study: str | None, patient_id: str | None, issuer: str
) -> frozenset[str] | None:
    """Return what rows must name one of, None for all rows."""
    if patient_id is None:
        return None if study is None else engine.audit_log.hashed_ever("study", study)
    if study is not None:
        raise ParameterError("A study and a patient were named.", "Name one of them.")
    keys = PatientHasher(*engine.secrets.patient).keys(patient_id, issuer)
    if not keys:
        raise ParameterError("The patient id is empty.", "Give the id as the files have it.")
    return engine.audit_log.hashed_ever("patient", keys)


def _table(rows: Iterator[AuditRow]) -> Iterator[str]:
    yield _line(_COLUMNS)
    for row in rows:
        touched = " ".join(json.loads(row.record.touched))
        told = {**row.to_dict(), "touched": touched}
        yield _line([str(told[name]) for name in _COLUMNS])


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


@audit.command()
@click.option("--before", type=_DAY, required=True, help="Remove what is older than this day (UTC).")
@click.option("--yes", is_flag=True, help="Do not ask.")
def prune(before: datetime, yes: bool) -> None:
    """Remove the oldest rows; the rest can still be verified.

    The log is verified first, and nothing is removed where that finds anything. That rows were removed is
    logged. Export them before, if they are to be kept elsewhere.

    \b
    Example:
      hmar audit prune --before 2024-01-01
    """
    with closing(build_engine(settings_from_environment())) as engine:
        log = engine.audit_log
        _check(log)
        if not yes:
            click.confirm(f"Remove all rows from before {before:%Y-%m-%d}?", abort=True)
        access = Accessed(time.time(), "pruneAudit", "hmar audit prune", "admin", "command line", 0, "")
        click.echo(f"{log.prune(_seconds(before), access)} rows were removed.")


def _seconds(day: datetime) -> float:
    return day.replace(tzinfo=UTC).timestamp()
