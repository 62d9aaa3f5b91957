"""``hmar collections``, ``hmar studies`` and ``hmar series``: what is indexed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

import click

from hmar.cli.pacs import Day
from hmar.cli.places import place
from hmar.cli.tables import print_table
from hmar.errors import NotFoundError, shown
from hmar.values.entries import SeriesInfo
from hmar.values.wanted_studies import StudyOrder

_COLLECTION = click.option("--collection", metavar="NAME", help="Only this collection.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON, as the API does.")
_SERIES = ("series", "collection", "modality", "body part", "description", "date", "frames")


def _listing(command: Callable[..., Any]) -> Callable[..., Any]:
    return _COLLECTION(_JSON(command))


@click.command()
@_listing
def collections(collection: str | None, as_json: bool) -> None:
    """List the collections in numbers: frames, series, studies, patients, labels.

    Patients are those that are known: frames without a patient id count for none.

    \b
    Examples:
      hmar collections
      hmar --server https://pacs.example/hmar collections --json
    """
    held = place().collections(collection)
    if as_json:
        click.echo(json.dumps({"collections": [one.to_dict() for one in held]}))
        return
    columns = ("collection", "frames", "series", "studies", "patients", "labels")
    rows = [
        (one.collection, one.frames, one.series, one.studies, one.patients, len(one.labels)) for one in held
    ]
    print_table(columns, rows)


@click.command()
@_listing
def patients(collection: str | None, as_json: bool) -> None:
    """List the patients by handles: neither ids nor hashes of them.

    A handle is the same until the site's secret changes. Studies without a patient id are of no patient.

    \b
    Examples:
      hmar patients
      hmar studies --patient 0f343b0931126a20f133d67c2b018a3b
    """
    listed = list(place().patients(collection))
    if as_json:
        click.echo(json.dumps({"patients": [one.to_dict() for one in listed]}))
        return
    columns = ("patient", "studies", "series", "frames", "first", "last", "modalities")
    rows = [
        (
            one.patient,
            one.studies,
            one.series,
            one.frames,
            one.first_date,
            one.last_date,
            ",".join(one.modalities),
        )
        for one in listed
    ]
    print_table(columns, rows)


@click.command()
@click.argument("study_uid", required=False)
@click.option("--patient", metavar="HANDLE", help="Only those of a patient; 'hmar patients' lists them.")
@click.option("--modality", metavar="CODE", help="Only those with a series of it, such as CT.")
@click.option("--body-part", metavar="CODE", help="Only those with a series of it, such as CHEST.")
@click.option("--since", type=Day(), help="First study date.")
@click.option("--until", type=Day(), help="Last study date.")
@click.option(
    "--order",
    type=click.Choice(get_args(StudyOrder)),
    default="uid",
    show_default=True,
    help="By collection and UID, or by date; studies without a date come last.",
)
@_listing
def studies(study_uid: str | None, collection: str | None, as_json: bool, **wanted: Any) -> None:
    """List the studies, or the series of the study STUDY_UID.

    \b
    Examples:
      hmar studies
      hmar studies --collection teaching --json
      hmar studies --modality CT --since 2026-01-01 --order newest
      hmar studies 1.3.6.1.4.1.14519.5.2.1.2
    """
    archive = place()
    if study_uid is not None:
        study = archive.study(study_uid, collection)
        if as_json:
            told = {"study": study.to_dict(), "series": [one.to_dict() for one in study.series]}
            click.echo(json.dumps(told))
        else:
            print_table(_SERIES, map(_series_row, study.series))
        return
    listed = list(archive.studies(collection, **wanted))
    if as_json:
        click.echo(json.dumps({"studies": [one.to_dict() for one in listed]}))
        return
    columns = ("study", "collection", "date", "modalities", "series", "frames")
    rows = [
        (one.study_uid, one.collection, one.study_date, ",".join(one.modalities), one.series, one.frames)
        for one in listed
    ]
    print_table(columns, rows)


@click.command()
@click.argument("series_uid", required=False)
@_listing
def series(series_uid: str | None, collection: str | None, as_json: bool) -> None:
    """List the series, or the frames of the series SERIES_UID in display order.

    \b
    Examples:
      hmar series
      hmar series --collection teaching --json
      hmar series 1.3.6.1.4.1.14519.5.2.1.1
    """
    archive = place()
    if series_uid is None:
        listed = archive.series(collection)
        if as_json:
            click.echo(json.dumps({"series": [one.to_dict() for one in listed]}))
        else:
            print_table(_SERIES, map(_series_row, listed))
        return
    frames = archive.frames(series_uid, collection)
    if not frames:
        raise NotFoundError(
            f"Series {shown(series_uid)} is not indexed.", "'hmar series' lists those that are."
        )
    if as_json:
        click.echo(json.dumps({"series_uid": series_uid, "frames": [one.to_dict() for one in frames]}))
        return
    columns = ("instance", "frame", "number", "rows", "columns", "collection")
    rows = [
        (
            one.info.sop_instance_uid,
            one.info.frame_number,
            one.info.instance_number,
            one.info.rows,
            one.info.columns,
            one.collection,
        )
        for one in frames
    ]
    print_table(columns, rows)


def _series_row(one: SeriesInfo) -> tuple[object, ...]:
    return (
        one.series_uid,
        one.collection,
        one.modality,
        one.body_part,
        one.series_description,
        one.study_date,
        one.frames,
    )
