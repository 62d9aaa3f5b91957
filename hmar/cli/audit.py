"""``hmar audit``."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hmar.audit_log import AuditLog
from hmar.cli.settings import settings_from_environment
from hmar.disk import writing
from hmar.files import new_file
from hmar.values.audit import Accessed, AuditRecord, AuditRow
from hmar.wiring import build_engine

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
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
def export(since: datetime | None, kind: str, file: Path) -> None:
    """Write the rows to FILE, which only you can read; to standard output if it is -.

    \b
    Examples:
      hmar audit export accesses.jsonl
      hmar audit export --since 2026-01-01 --format csv -
    """
    rows = _audit_log().rows(0.0 if since is None else _seconds(since))
    lines = _table(rows) if kind == "csv" else (f"{json.dumps(row.to_dict())}\n" for row in rows)
    if str(file) == "-":
        for line in lines:
            click.echo(line, nl=False)
        return
    with writing("The file"), new_file(file, mode=0o600) as opened:
        for line in lines:
            opened.write(line.encode())


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
    log = _audit_log()
    _check(log)
    if not yes:
        click.confirm(f"Remove all rows from before {before:%Y-%m-%d}?", abort=True)
    access = Accessed(time.time(), "pruneAudit", "hmar audit prune", "admin", "command line", 0, "")
    click.echo(f"{log.prune(_seconds(before), access)} rows were removed.")


def _seconds(day: datetime) -> float:
    return day.replace(tzinfo=UTC).timestamp()
