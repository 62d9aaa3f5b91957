"""``hmar doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hmar.cli.checks import Finding, State, examine
from hmar.cli.settings import settings_from_environment

_COLOURS = {State.OK: "green", State.NOTE: "yellow", State.FAILED: "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Check every part of the product and say what to do.

    Looks at Python, the data directory, free disk, secrets, database, model, codecs, index, broker and
    worker. The model encodes its golden frame, whose codes are known, so that a runtime that computes other
    codes is found. The exit status is 1 if a part fails.

    \b
    Examples:
      hmar doctor
      HMAR_HOME=/srv/hmar hmar doctor --json
    """
    findings = examine(settings_from_environment())
    healthy = all(finding.state is not State.FAILED for finding in findings)
    if as_json:
        click.echo(json.dumps({"healthy": healthy, "checks": [asdict(finding) for finding in findings]}))
    else:
        _print(findings)
    click.get_current_context().exit(0 if healthy else 1)


def _print(findings: list[Finding]) -> None:
    table = Table("part", "state", "found", "what to do", box=SIMPLE_HEAD, pad_edge=False)
    for finding in findings:
        colour = _COLOURS[finding.state]
        state = f"[{colour}]{finding.state.value}[/{colour}]"
        table.add_row(finding.part, state, escape(finding.found), escape(finding.remedy))
    Console().print(table)
