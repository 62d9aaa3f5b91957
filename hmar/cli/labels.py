"""``hmar labels``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

import click

from hmar.cli.places import place
from hmar.cli.tables import print_table
from hmar.client.client import Client
from hmar.errors import ParameterError
from hmar.library.archive import Archive
from hmar.values.references import printable
from hmar.values.relabelled import Relabelled

Level = Literal["instance", "series", "study"]


@click.command()
@click.argument("label", required=False)
@click.option("--instance", metavar="UID", multiple=True, help="Label the instance with this UID.")
@click.option("--series", metavar="UID", multiple=True, help="Label the series with this UID.")
@click.option("--study", metavar="UID", multiple=True, help="Label the study with this UID.")
@click.option("--remove", is_flag=True, help="Take labels away, in place of giving LABEL.")
@click.option(
    "--table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CSV",
    help="Give the labels of a table: a column of UIDs (sop_instance_uid, series_instance_uid or "
    "study_instance_uid) and a column label, up to 1000 lines. An empty label takes one away.",
)
@click.option("--collection", metavar="NAME", help="Only in this collection; in all by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def labels(
    label: str | None,
    instance: Sequence[str],
    series: Sequence[str],
    study: Sequence[str],
    remove: bool,
    table: Path | None,
    collection: str | None,
    as_json: bool,
) -> None:
    """Count the labels of what is indexed, or give images another LABEL.

    Without LABEL, --remove and --table, the labels are counted by collection. Nothing is encoded again. One
    kind of UID at a time; it may come several times.

    \b
    Examples:
      hmar labels
      hmar labels "proven nodules" --series 1.3.6.1.4.1.14519.5.2.1.1
      hmar labels --remove --study 1.3.6.1.4.1.14519.5.2.1.2 --collection teaching
      hmar --server https://pacs.example/hmar labels --table labels.csv
    """
    uids = {"instance": instance, "series": series, "study": study}
    named = {cast(Level, level): given for level, given in uids.items() if given}
    ways = (label is not None) + remove + (table is not None)
    if ways > 1:
        raise ParameterError("LABEL, --remove and --table are given together.", "Give one of them.")
    if (label is not None or remove) != bool(named) or len(named) > 1:
        raise ParameterError(
            f"{len(named)} kinds of UIDs are given.",
            "Give UIDs of one kind, with LABEL or --remove: --instance, --series or --study.",
        )
    archive = place()
    if table is not None:
        _report(archive.relabel_table(table, collection=collection), as_json)
    elif named:
        [(level, chosen)] = named.items()
        _report(archive.relabel(list(chosen), label, level=level, collection=collection), as_json)
    else:
        _count(archive, collection, as_json)


def _report(outcome: Relabelled, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.to_dict()))
        return
    click.echo(f"{outcome.changed} frames with a new label, {outcome.unchanged} that had it already")
    for uid in outcome.unknown:
        click.echo(f"Nothing is indexed of {printable(uid)}", err=True)


def _count(archive: Archive | Client, collection: str | None, as_json: bool) -> None:
    counted = {one.collection: dict(sorted(one.labels.items())) for one in archive.collections(collection)}
    if as_json:
        click.echo(json.dumps({"labels": counted}))
        return
    rows = [(name, label, frames) for name, held in counted.items() for label, frames in held.items()]
    print_table(("collection", "label", "frames"), rows)
