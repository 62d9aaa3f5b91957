"""``hmar adapt``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.cli.training.typicality import print_fitted
from hmar.errors import ConfigError
from hmar.wiring import build_engine

if TYPE_CHECKING:
    from hmar.training.thresholds.adapt import Adapted

_COLUMNS = ("modality", "frames", "people", "code", "rarer", "worst", "correlated", "effective")


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="New folder of the model to write; its name becomes the model's name.",
)
@click.option(
    "--collection",
    "collections",
    multiple=True,
    show_default="all",
    help="Measure this collection only; may be given several times.",
)
@click.option(
    "--frames",
    type=click.IntRange(100),
    default=2000,
    show_default=True,
    help="Frames that are measured of each modality, at most; each takes as long as encoding it.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
def adapt(out: Path, collections: tuple[str, ...], frames: int, seed: int) -> None:
    """Fit the model to the archive: bits turn at the median of its own images, which count as typical.

    Reads a sample of the indexed images again, of each modality one of each person in turn, and takes the
    median of every bit's logit, people counting equally. Writes a sealed folder with the same weights and
    these thresholds, and prints how evenly the bits are used before and after. A modality with fewer than
    100 frames or 10 people keeps the thresholds that the model has. Images without a modality tag have
    thresholds of their own, or those of all images together where they are too few.

    Typicality is measured from the same images: Hounsfield units are one kind, presentation values of each
    modality another. It says of each kind how many frames and people there are; of a kind with fewer than 100
    frames or 10 people the model keeps what it had. hmar export-model --typicality does the same without
    other thresholds.

    The new folder is another model with another fingerprint: index the archive under it, then use it. Until
    then the archive is searched with the old one.

    \b
    Example:
      hmar adapt --out models/our-archive
      hmar reindex --model models/our-archive
      hmar models use our-archive
    """
    from hmar.training.thresholds.adapt import adapt as run
    from hmar.training.thresholds.sampling import sample_frames

    engine = build_engine(settings_from_environment())
    click.get_current_context().call_on_close(engine.close)
    fitted = engine.model_folder
    if fitted is None:
        raise ConfigError("The archive uses the baseline, which has no bits to fit.", "Use another model.")
    rng = np.random.default_rng(seed)
    sample = sample_frames(engine.catalogue, engine.encoder.fingerprint, collections, frames, rng)
    with progress_of(Console(stderr=True)) as progress:
        adapted = run(fitted, out, sample, engine.frame, rng, progress)
    _print(adapted)
    click.echo(f"{out}: model {adapted.fingerprint}")


def _print(adapted: Adapted) -> None:
    from hmar.training.thresholds.card import rows_of

    table = Table(*_COLUMNS, box=SIMPLE_HEAD, pad_edge=False)
    for one in adapted.fitted:
        for row in rows_of(one):
            table.add_row(*row)
    Console().print(table)
    for name, reason in adapted.kept.items():
        click.echo(f"{name}: {reason}, too few; the thresholds that the model has are kept.")
    print_fitted(adapted.typicality, adapted.tells)
