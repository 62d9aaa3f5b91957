"""``hmar models``."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.values.models import ModelState
from hmar.wiring import Engine, build_engine

_COLUMNS = ("fingerprint", "name", "role", "installed", "frames", "missing")


@click.group()
def models() -> None:
    """List, install, use and remove the models of the archive.

    One model serves an archive at a time. 'hmar reindex' indexes the archive under another one beside it;
    'hmar models use' switches. MODEL is a fingerprint, its beginning, or the name of one model alone.

    \b
    Examples:
      hmar models list
      hmar models install /data/models/our-archive
      hmar models use 3f2a91
      hmar models remove 81b0c4
    """


def _engine() -> Engine:
    engine = build_engine(settings_from_environment())
    click.get_current_context().call_on_close(engine.close)
    return engine


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the models as JSON.")
def list_models(as_json: bool) -> None:
    """List the models: which one searches use, and how far the archive is indexed under each.

    All frames are gone through for it.

    \b
    Example:
      hmar models list
    """
    engine = _engine()
    states = engine.reindexing.states(engine.known_models.listed())
    if as_json:
        click.echo(json.dumps([_told(state) for state in states]))
        return
    rows = [_COLUMNS, *(tuple(map(str, _told(state).values())) for state in states)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _told(state: ModelState) -> dict[str, object]:
    return {
        "fingerprint": state.model.fingerprint,
        "name": state.model.name,
        "role": state.role,
        "installed": "yes" if state.installed else "no",
        "frames": state.frames,
        "missing": state.missing,
    }


@models.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def install(folder: Path) -> None:
    """Copy the model in FOLDER into HMAR_HOME/models, once its checksums are right.

    Every machine that serves or indexes needs it there. Print its fingerprint.

    \b
    Example:
      hmar models install models/our-archive
    """
    model = _engine().known_models.install(folder)
    click.echo(f"{model.fingerprint}  {model.name}")


@models.command()
@click.argument("model")
@click.option(
    "--accept-missing",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Switch although so many frames are not indexed under it: no search finds them then.",
)
def use(model: str, accept_missing: int) -> None:
    """Let searches use MODEL, in one step; refused while frames are not indexed under it.

    Running web servers follow within seconds, without a restart: the model before answers until the index of
    the new one is built. The model before is kept, and is used again in the same way.

    \b
    Examples:
      hmar models use 3f2a91
      hmar models use 3f2a91 --accept-missing 12
    """
    engine = _engine()
    chosen = engine.known_models.named(model)
    engine.reindexing.use(chosen, accept_missing)
    engine.drop_other_snapshots()
    click.echo(f"Searches use {chosen.name} ({chosen.fingerprint}).")


@models.command()
@click.argument("model")
@click.option(
    "--accept-missing",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Remove it although so many frames are indexed under no other: they leave the archive.",
)
def remove(model: str, accept_missing: int) -> None:
    """Delete all that is indexed under MODEL, and its installed folder. Not of the model in use.

    It is done some frames at a time: an interrupted run is begun again. A model that the archive is being
    indexed under is given up with it.

    \b
    Example:
      hmar models remove 81b0c4
    """
    engine = _engine()
    states = engine.reindexing.states(engine.known_models.listed())
    chosen = engine.known_models.named(model, (state.model for state in states))
    total = next((state.frames for state in states if state.model == chosen), 0)
    with progress_of(Console(stderr=True)) as show:
        gone = engine.reindexing.forget(
            chosen, accept_missing, lambda frames: show("removing", frames, max(total, frames))
        )
    engine.drop_other_snapshots()
    folder = " and its folder" if engine.known_models.remove(chosen.fingerprint) else ""
    click.echo(f"Removed {gone} frames of {chosen.name or chosen.fingerprint}{folder}.")
