"""``hmar doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import NoReturn

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hmar.cli.checks import examine
from hmar.cli.pacs import named_pacs, try_pacs
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.library.integrity import Integrity
from hmar.values.findings import Finding, State

_COLOURS = {State.OK: "green", State.NOTE: "yellow", State.FAILED: "red"}


@click.command()
@click.argument("part", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--quick", is_flag=True, help="Leave out what reads every stored byte.")
@click.option(
    "--repair",
    is_flag=True,
    help="Take damaged rows out, mend the log, give digests to rows of older versions, and index damaged "
    "frames again where their files are there.",
)
def doctor(part: str | None, as_json: bool, quick: bool, repair: bool) -> None:
    """Check every part of the product and say what to do.

    Looks at Python, the data directory, free disk, secrets, database, model, codecs, files that were sent,
    index, scan, broker, worker, the identity provider and the listener, if there are any, and the PACS that
    are followed. The model encodes its golden frame, whose codes are known, so that a runtime that computes
    other codes is found. Then every stored byte is verified: the database file, the digest of every row, the
    log, uploads and snapshots. The exit status is 1 if a part fails.

    With pacs:NAME it tries that PACS alone: whether it lists what it has, sends an instance, and can be
    followed.

    \b
    Examples:
      hmar doctor
      hmar doctor --repair
      hmar doctor pacs:main
      HMAR_HOME=/srv/hmar hmar doctor --json
    """
    if quick and repair:
        raise click.UsageError("--repair needs the checks that --quick leaves out.")
    settings = settings_from_environment()
    if part is not None:
        _tell(try_pacs(settings, named_pacs(part)), as_json)
    with progress_of(Console(stderr=True)) as show:
        findings = examine(settings, None if quick else Integrity(show), repair)
    _tell(findings, as_json)


def _tell(findings: list[Finding], as_json: bool) -> NoReturn:
    healthy = all(finding.state is not State.FAILED for finding in findings)
    if as_json:
        click.echo(json.dumps({"healthy": healthy, "checks": [asdict(finding) for finding in findings]}))
    else:
        _print(findings)
    raise click.exceptions.Exit(0 if healthy else 1)


def _print(findings: list[Finding]) -> None:
    table = Table("part", "state", "found", "what to do", box=SIMPLE_HEAD, pad_edge=False)
    for finding in findings:
        colour = _COLOURS[finding.state]
        state = f"[{colour}]{finding.state.value}[/{colour}]"
        table.add_row(finding.part, state, escape(finding.found), escape(finding.remedy))
    Console().print(table)
