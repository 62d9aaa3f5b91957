"""``hmar delete``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import click

from hmar.cli.patient_id import asked_patient_id
from hmar.cli.places import client
from hmar.cli.settings import settings_from_environment
from hmar.client.client import Client
from hmar.dicom.deidentify import PatientHasher
from hmar.removal import check_one, nothing_matches, one_selector, settle
from hmar.values.deletion import Extent, Level, Selector
from hmar.wiring import Engine, build_engine


@click.command()
@click.option("--instance", "instance_uid", metavar="UID", help="Delete the instance with this UID.")
@click.option("--series", "series_uid", metavar="UID", help="Delete the series with this UID.")
@click.option("--study", "study_uid", metavar="UID", help="Delete the study with this UID.")
@click.option(
    "--patient-id",
    "patient",
    is_flag=True,
    help="Delete a patient. The id is asked for, or read from standard input where that is no terminal: "
    "on the command line it would stay in the shell's history.",
)
@click.option(
    "--issuer", default="", metavar="TEXT", help="Issuer of the patient id (0010,0021), where files have one."
)
@click.option("--collection", metavar="NAME", help="Delete from this collection alone; from all by default.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print what was deleted as JSON.")
def delete(
    instance_uid: str | None,
    series_uid: str | None,
    study_uid: str | None,
    patient: bool,
    issuer: str,
    collection: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete an instance, a series, a study or a patient from the archive. It cannot be undone.

    Name exactly one. Their frames are not found any more at once, also by a running product. Codes, what is
    known of them, and the bytes of files that were uploaded are removed from the data directory, index
    snapshots included. Files that were indexed where they lie stay there: remove them yourself, or they are
    indexed again with their folder. What would be deleted is shown first; a server
    deletes without telling how much it will be.

    \b
    Examples:
      hmar delete --series 1.3.6.1.4.1.14519.5.2.1.1
      hmar delete --study 1.3.6.1.4.1.14519.5.2.1.2 --collection teaching --yes
      hmar delete --patient-id
      hmar delete --patient-id --yes --json < id.txt
      hmar --server https://pacs.example/hmar delete --series 1.3.6.1.4.1.14519.5.2.1.1 --yes
    """
    uids: dict[Level, str | None] = {"instance": instance_uid, "series": series_uid, "study": study_uid}
    check_one(uids, patient)
    asked = client()
    if asked is not None:
        _delete_there(asked, uids, patient, issuer, collection, yes, as_json)
        return
    engine = build_engine(settings_from_environment())
    click.get_current_context().call_on_close(engine.close)
    key = PatientHasher(*engine.secrets.patient).key(asked_patient_id(), issuer) if patient else None
    selector = one_selector(uids, patient, key)
    extent = engine.remover.extent(selector, collection)
    if not extent.frames:
        # A run that was killed may have left codes in a snapshot, and files of jobs may know the patient.
        _delete(engine, selector, collection)
        raise nothing_matches(selector)
    where = "all collections" if collection is None else f"collection {collection!r}"
    if not yes:
        click.confirm(f"Delete {_counted(extent)} from {where}?", abort=True, err=True)
    _report(_delete(engine, selector, collection), selector.level, collection, as_json)


def _delete_there(
    asked: Client,
    uids: Mapping[Level, str | None],
    patient: bool,
    issuer: str,
    collection: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete on a server, which does not tell before how much that is."""
    level, uid = next(((level, uid) for level, uid in uids.items() if uid is not None), ("patient", None))
    selector = Selector(cast(Level, level), uid or "")
    patient_id = asked_patient_id() if patient else None
    if not yes:
        where = "all collections that the key sees" if collection is None else f"collection {collection!r}"
        click.confirm(f"Delete this {level} from {where} of the server?", abort=True, err=True)
    extent = asked.delete(
        instance_uid=uids["instance"],
        series_uid=uids["series"],
        study_uid=uids["study"],
        patient_id=patient_id,
        issuer=issuer,
        collection=collection,
    )
    if not extent.frames:
        raise nothing_matches(selector)
    _report(extent, selector.level, collection, as_json)


def _delete(engine: Engine, selector: Selector, collection: str | None) -> Extent:
    extent = engine.remover.delete(selector, collection).extent
    _settle(engine)
    return extent


def _settle(engine: Engine) -> None:
    if not engine.settings.in_memory and not settle(engine.searcher.refresh, engine.index):
        click.echo("A process is writing a snapshot of the index that may hold deleted codes.", err=True)


def _report(extent: Extent, level: Level, collection: str | None, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"level": level, "collection": collection, **extent.to_dict()}))
    else:
        click.echo(f"Deleted {_counted(extent)}.")


def _counted(extent: Extent) -> str:
    return (
        f"{_number(extent.frames, 'frame')} of {_number(extent.instances, 'instance')}, "
        f"{_number(extent.series, 'series', 'series')}, {_number(extent.studies, 'study', 'studies')}"
    )


def _number(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
