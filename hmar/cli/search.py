"""``hmar search``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from hmar.cli.montage import draw_montage
from hmar.cli.pictures import Pictures, PicturesHere, PicturesThere
from hmar.cli.places import client
from hmar.cli.property_options import property_options
from hmar.cli.settings import settings_from_environment
from hmar.cli.thoroughness import said_of_fast
from hmar.client.client import Client
from hmar.library.images import read_image
from hmar.properties.conditions import Typed, conditions_of_options
from hmar.properties.python_filters import filters_of_conditions
from hmar.values.codes import Bits
from hmar.values.fast import Search
from hmar.values.geometry import Box, region_of
from hmar.values.hits import Hit, Mode
from hmar.values.results import Results
from hmar.values.selection import GroupBy, Same, Selection, named_series
from hmar.wiring import build_engine


class RegionType(click.ParamType[Box]):
    """Four numbers ``x,y,w,h`` in source pixels."""

    name = "x,y,w,h"

    def convert(self, value: object, _param: click.Parameter | None, _ctx: click.Context | None) -> Box:
        """Return a box; raises RegionError for anything but four finite numbers."""
        return region_of(value)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--region",
    "regions",
    type=RegionType(),
    multiple=True,
    help="Search for this region alone, in source pixels; may come up to 16 times, for regions together.",
)
@click.option("--frame", "frame_number", default=1, show_default=True, help="Frame of a multi-frame file.")
@click.option("-k", default=10, show_default=True, help="Number of hits.")
@click.option(
    "--mode",
    type=click.Choice(["global", "local", "auto"]),
    help="What to compare: whole images, regions, or both weighed; default auto, local for a region.",
)
@click.option(
    "--bits", type=click.Choice(["64", "128"]), default="128", show_default=True, help="Code length."
)
@click.option("--collection", help="Search this collection alone.")
@property_options
@click.option(
    "--exclude-same", type=click.Choice(get_args(Same)), help="Leave out what FILE itself belongs to."
)
@click.option(
    "--only",
    multiple=True,
    metavar="SERIES_UID",
    help="Find nothing but what belongs to this series; may come several times.",
)
@click.option(
    "--group-by",
    type=click.Choice(get_args(GroupBy)),
    help="One hit for each of these, its nearest frame; a place is that of a region in a series.",
)
@click.option(
    "--search",
    "way",
    type=click.Choice(get_args(Search)),
    help="exact compares every frame; fast a fraction of a large archive, and may miss a hit. Left out, the "
    "size of the archive decides (HMAR_FAST_ABOVE).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the hits as JSON, as the API does.")
@click.option("--montage", type=click.Path(dir_okay=False, path_type=Path), help="Draw query and hits here.")
def search(
    file: Path,
    regions: tuple[Box, ...],
    frame_number: int,
    k: int,
    mode: str | None,
    bits: str,
    collection: str | None,
    exclude_same: Same | None,
    only: tuple[str, ...],
    group_by: GroupBy | None,
    way: Search | None,
    as_json: bool,
    montage: Path | None,
    **properties: Typed,
) -> None:
    """Search for images like FILE, or like a region of it, or several.

    FILE is a DICOM, PNG or JPEG file; it need not be indexed. No product needs to run: the index is loaded
    into this process. With --server, FILE is sent to it, and nothing of it is kept there. Filters hold all at
    once, and before the k nearest are taken; an image of which a value is unknown is not found by a filter on
    it. A fast search says how many of the nearest it expects to have found.

    \b
    Examples:
      hmar search slice.dcm
      hmar search slice.dcm --region 310,340,48,40 -k 20
      hmar search slice.dcm --region 310,340,48,40 --json --montage hits.png
      hmar search slice.dcm --modality CT --sex F --age 40-60 --date 2020-01-01..2021-12-31
      hmar search slice.dcm --exclude-same patient --group-by series
      hmar search slice.dcm --region 310,340,48,40 --search exact
      hmar search slice.dcm --only 1.2.840.113619.2.55.3 --only 1.2.840.113619.2.55.4
      hmar search slice.dcm --region 310,340,48,40 --region 120,330,44,44
      hmar --server https://pacs.example/hmar search slice.dcm --modality CT --json
    """
    found = _Searched(
        file,
        frame_number,
        regions,
        k,
        cast(Mode | None, mode),
        64 if bits == "64" else 128,
        Selection(
            collection,
            filters=conditions_of_options(properties),
            only_series=named_series(only or None),
            group_by=group_by,
        ),
        exclude_same,
        way,
    )
    asked = client()
    results, pictures = _here(found) if asked is None else _there(found, asked)
    hits = list(results)
    if montage is not None:
        draw_montage(pictures, regions, hits, montage)
    if as_json:
        answer = {
            "query": results.query_dict(),
            "search": results.thoroughness.to_dict(),
            "hits": [hit.to_dict() for hit in hits],
            "unindexed_frames": results.unindexed_frames,
        }
        click.echo(json.dumps(answer, allow_nan=False))
    else:
        _print_table(results, montage, pictures.frames)
        if results.unindexed_frames:
            click.echo(
                f"{results.unindexed_frames} frames are not indexed under {results.model} and were not "
                "searched: hmar reindex",
                err=True,
            )


@dataclass(frozen=True, slots=True)
class _Searched:
    """What is searched for, and among what."""

    file: Path
    frame_number: int
    regions: tuple[Box, ...]
    k: int
    mode: Mode | None
    bits: Bits
    selection: Selection
    exclude_same: Same | None
    search: Search | None


def _here(asked: _Searched) -> tuple[Results, Pictures]:
    """Search the archive of this machine."""
    engine = build_engine(settings_from_environment())
    click.get_current_context().call_on_close(engine.close)
    data = read_image(asked.file, engine.settings.max_file_bytes)
    frame = engine.decoder.open(data, first_frame=asked.frame_number == 1).frame(asked.frame_number)
    selection = asked.selection
    if asked.exclude_same is not None:
        selection = engine.searcher.excluding(selection, frame.info, asked.exclude_same)
    results = engine.searcher.answer(
        frame, asked.regions, asked.k, asked.mode, selection, asked.bits, search=asked.search
    )
    return engine.links.on(results), PicturesHere(engine, frame)


def _there(asked: _Searched, server: Client) -> tuple[Results, Pictures]:
    """Search on a server."""
    selection = asked.selection
    results = server.search(
        asked.file,
        asked.regions or None,
        asked.k,
        asked.mode,
        asked.bits,
        frame_number=asked.frame_number,
        collection=selection.collection,
        exclude=asked.exclude_same,
        only=selection.only_series,
        group_by=selection.group_by,
        search=asked.search,
        where=filters_of_conditions(selection.filters),
    )
    return results, PicturesThere(server, asked.file, asked.frame_number)


def _print_table(hits: Results, montage: Path | None, frames: int) -> None:
    console = Console()
    if not hits and frames:
        console.print(f"No hits: nothing that was asked for is among the {frames} indexed frames.")
        return
    if not hits:
        console.print("No hits: nothing is indexed here yet. 'hmar index PATH' fills the archive.")
        return
    title = f"{len(hits)} nearest at {hits[0].bits} bits, model {hits[0].model}"
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    places = any(hit.place is not None for hit in hits)
    for name in ("rank", "distance", "global", "local"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("series", no_wrap=True)
    table.add_column("slice", justify="right", no_wrap=True)
    table.add_column("frame", justify="right", no_wrap=True)
    table.add_column("box x,y,w,h", no_wrap=True)
    if places:
        table.add_column("place", no_wrap=True)
    for hit in hits:
        info = hit.entry.info
        table.add_row(
            str(hit.rank),
            f"{hit.distance:g}",
            f"{hit.global_distance:g}",
            f"{hit.local_distance:g}",
            f"{info.modality} {_tail(info.series_uid)}",
            "?" if info.instance_number is None else str(info.instance_number),
            str(info.frame_number),
            ",".join(f"{value:.0f}" for value in hit.box),
            *([_place(hit)] if places else []),
        )
    console.print(table)
    _print_typicality(hits[0], console)
    if hits.thoroughness.search == "fast":
        console.print(said_of_fast(hits.thoroughness, len(hits)), style="yellow")
    if montage is not None:
        console.print("The montage is drawn.")


def _print_typicality(hit: Hit, console: Console) -> None:
    """Say whether the query is like frames that the model knows, if it can tell."""
    if hit.query_out_of_distribution:
        console.print(
            f"Out of distribution: the query is unlike the images of its kind that {hit.model} knows "
            f"(typicality {hit.query_typicality:.3f}). These hits may mean nothing.",
            style="yellow",
        )
    elif hit.query_typicality is not None:
        console.print(f"The query's typicality for {hit.model} is {hit.query_typicality:.2f}.", style="dim")


def _place(hit: Hit) -> str:
    """Return how many frames a hit's place has, and how far it reaches; the table has no room for more."""
    if hit.place is None:
        return ""
    depth_mm = hit.place.extent.depth_mm
    return f"{hit.place.frames} frames" + ("" if depth_mm is None else f", {depth_mm:.0f} mm")


def _tail(uid: str) -> str:
    """Return the end of a UID, which distinguishes two of one study; --json has the whole."""
    return uid if len(uid) <= 8 else f"..{uid[-6:]}"
