"""``hmar export-dicom``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import click

from hmar.cli.pacs import named_pacs
from hmar.cli.places import place
from hmar.cli.property_options import property_options
from hmar.cli.search import RegionType
from hmar.errors import ConfigError, ParameterError, shown
from hmar.properties.conditions import Typed, conditions_of_options
from hmar.properties.python_filters import filters_of_conditions
from hmar.values.asked import HowSearched
from hmar.values.exports import KINDS, Export, Kind
from hmar.values.fast import Search
from hmar.values.geometry import Box
from hmar.values.hits import Mode
from hmar.values.indexed import IndexedFrame
from hmar.values.selection import GroupBy, Same


@click.command("export-dicom")
@click.argument("uid")
@click.option("--frame", "frame_number", default=1, show_default=True, help="Frame of a multi-frame image.")
@click.option(
    "--region",
    "regions",
    type=RegionType(),
    multiple=True,
    help="Search for this region alone, in source pixels; may come up to 16 times, for regions together.",
)
@click.option("-k", default=10, show_default=True, help="Number of hits, 50 at most.")
@click.option("--mode", type=click.Choice(get_args(Mode)), help="What to compare, as for hmar search.")
@click.option("--collection", help="Search this collection alone.")
@property_options
@click.option(
    "--exclude-same", type=click.Choice(get_args(Same)), help="Leave out what the image belongs to."
)
@click.option("--group-by", type=click.Choice(get_args(GroupBy)), help="One hit for each of these.")
@click.option(
    "--search",
    type=click.Choice(get_args(Search)),
    help="How thoroughly, as for hmar search.",
)
@click.option(
    "--hit",
    "hits",
    multiple=True,
    metavar="UID[:FRAME]",
    help="Tell only this hit; may come several times.",
)
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    help="What is written: a structured report, a key object selection, a picture; by default all.",
)
@click.option("--to", "pacs", metavar="pacs:NAME", help="Store them to this PACS.")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), help="Write them into this folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def export_dicom(
    uid: str,
    frame_number: int,
    regions: tuple[Box, ...],
    k: int,
    mode: Mode | None,
    collection: str | None,
    exclude_same: Same | None,
    group_by: GroupBy | None,
    search: Search | None,
    hits: tuple[str, ...],
    kinds: tuple[Kind, ...],
    pacs: str | None,
    output: Path | None,
    as_json: bool,
    **properties: Typed,
) -> None:
    """Search with the indexed image UID, and write the hits as DICOM of its study.

    The files name the patient as the image's own file does. They are marked as unverified and for research.
    Hits of other patients are left out, unless HMAR_EXPORT_OTHERS says otherwise. The exit status is 1 if the
    PACS refused a document.

    \b
    Examples:
      hmar export-dicom 1.3.6.1.4.1.14519.5.2.1.1 --region 310,340,48,40 --to pacs:main
      hmar export-dicom 1.3.6.1.4.1.14519.5.2.1.1 --kind sr --output results
      hmar --server https://pacs.example/hmar export-dicom 1.3.6.1.4.1.14519.5.2.1.1 --to pacs:main
    """
    if (pacs is None) == (output is None):
        raise ParameterError(
            "Both --to and --output are given." if pacs else "Neither --to nor --output is given.",
            "Give --to pacs:NAME, or --output FOLDER.",
        )
    how: HowSearched = {
        "k": k,
        "mode": mode,
        "collection": collection,
        "exclude": exclude_same,
        "group_by": group_by,
        "search": search,
        "where": filters_of_conditions(conditions_of_options(properties)),
    }
    image, chosen, wanted = IndexedFrame(uid, frame_number), _chosen(hits), kinds or KINDS
    if pacs is not None:
        sent = place().send(named_pacs(pacs), image, regions or None, kinds=wanted, hits=chosen, **how)
        _report(sent, as_json)
    elif output is not None:
        made = place().export(image, regions or None, kinds=wanted, hits=chosen, **how)
        _write(made, output, as_json)


def _chosen(texts: tuple[str, ...]) -> list[IndexedFrame] | None:
    return [_frame(text) for text in texts] or None


def _frame(text: str) -> IndexedFrame:
    uid, _, number = text.partition(":")
    if not uid or (number and not number.isdecimal()):
        raise ParameterError(f"--hit is {shown(text)}.", "Give the UID of an instance, with :FRAME if not 1.")
    return IndexedFrame(uid, int(number or 1))


def _report(sent: Export, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(sent.to_dict()))
    else:
        click.echo(f"{sent.hits} hits told in study {sent.study_uid}")
        for left, why in (
            (sent.other_patients, "are of other patients"),
            (sent.unreadable, "cannot be read"),
        ):
            if left:
                click.echo(f"{left} hits left out: they {why}")
        for document in sent.documents:
            click.echo(f"{document.kind}: {document.refused or f'stored as {document.sop_instance_uid}'}")
    if not sent.complete:
        raise SystemExit(1)


def _write(made: Mapping[Kind, bytes], folder: Path, as_json: bool) -> None:
    written = {kind: folder / f"{kind}.dcm" for kind in made}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, path in written.items():
            path.write_bytes(made[kind])
    except OSError as error:
        raise ConfigError(
            f"The documents cannot be written to {shown(str(folder))} ({error.strerror}).",
            "Give a folder that may be written.",
        ) from error
    paths = {kind: str(path) for kind, path in written.items()}
    click.echo(json.dumps(paths) if as_json else "\n".join(paths.values()))
