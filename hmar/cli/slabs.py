"""``hmar slabs``."""

from __future__ import annotations

import json

import click

from hmar.cli.settings import settings_from_environment
from hmar.cli.tables import print_table
from hmar.errors import ParameterError
from hmar.values.collections import CollectionInfo, nothing_in
from hmar.values.names import checked_name
from hmar.values.slabs import checked_slab_mm
from hmar.wiring import Engine, build_engine


@click.command()
@click.argument("collection", required=False)
@click.option(
    "--mm",
    "slab_mm",
    type=float,
    metavar="MM",
    help="Thickness of the slabs of COLLECTION from now on; 0 searches the windows of every slice.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the collections as JSON.")
def slabs(collection: str | None, slab_mm: float | None, as_json: bool) -> None:
    """Tell which collections have slabs, or give COLLECTION some.

    Neighbouring thin slices look alike. With slabs, the slice nearest to the middle of each slab of MM is the
    only one whose windows are searched: memory and time of searches shrink by the number of slices in a slab.
    All slices keep all their codes on the disk and are found by their whole image; of a slab that is found,
    the nearest slice is told. Nothing is encoded again, now or when the thickness changes.

    Frames of an earlier version, which did not keep where they lie in their stack, keep their windows.

    \b
    Examples:
      hmar slabs
      hmar slabs chest --mm 3
      hmar slabs chest --mm 0
    """
    if collection is None and slab_mm is not None:
        raise ParameterError("--mm is given without a collection.", "Say which: hmar slabs NAME --mm 3.")
    thickness = checked_slab_mm(slab_mm) if slab_mm else None
    engine = build_engine(settings_from_environment())
    click.get_current_context().call_on_close(engine.close)
    if collection is not None and slab_mm is not None:
        checked_name("collection", collection)
        changed = engine.slabs.change(collection, thickness)
        click.echo(f"{changed} frames are held back, or not any more.", err=True)
    held = _told(engine, collection)
    if as_json:
        click.echo(json.dumps({"collections": [one.to_dict() for one in held]}))
        return
    rows = [(one.collection, one.slab_mm or "-", one.frames, one.held_back, one.windows) for one in held]
    print_table(("collection", "slab mm", "frames", "held back", "windows searched"), rows)


def _told(engine: Engine, collection: str | None) -> list[CollectionInfo]:
    """Return collections in numbers, also those that have slabs and no frames yet."""
    known = {
        one.collection: one for one in engine.catalogue.collections(engine.encoder.fingerprint, collection)
    }
    for name, thickness in engine.slabs.sizes().items():
        if collection in (None, name):
            known.setdefault(name, nothing_in(name, thickness))
    return [known[name] for name in sorted(known)]
